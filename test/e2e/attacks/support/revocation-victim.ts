/** A victim and a tenant at authorities that both share: a step-ca, and a CA whose key Certwheel holds. */
import * as assert from 'uvu/assert';
import {
  CLIENT_CERTIFICATES,
  CLUSTER_CERTIFICATE_AUTHORITIES,
  SECRETS,
  SERIALS_ANNOTATION,
} from '../../../../src/api/names.ts';
import { REVOKE_ANNOTATION } from '../../../../src/api/revocation.ts';
import { onStop } from '../../../teardown.ts';
import { untilClusterAuthority } from '../../backends/place.ts';
import { makeStepCa, type StepCa } from '../../backends/servers/step-ca.ts';
import { entryOf, serve } from '../../backends/step-ca-subject.ts';
import type { Spec } from '../../backends/subject.ts';
import { listedIn } from '../../revocation/listed.ts';
import { patchCertificate } from '../../support/edits.ts';
import { clientCertificate, create, statusOf, untilReady } from '../../support/objects.ts';
import type { Scene } from '../../support/scene.ts';
import { eventually, type World } from '../../support/world.ts';

export const AUTHORITIES = ['shared-step', 'shared-own'] as const;
export type Shared = (typeof AUTHORITIES)[number];

export interface Victims {
  readonly world: World;
  readonly home: string;
  readonly victim: string;
  readonly tenant: string;
  readonly ca: StepCa;
  /** What a tenant puts below `stepCA` of an authority of its own, with credentials that it was given. */
  stepCa(namespace: string): Promise<Spec>;
  /** The serial number of the victim's certificate. */
  readonly stolen: Readonly<Record<Shared, string>>;
}

/** Authorities whose policies revoke whatever they can. */
export async function prepareVictims({ world, namespace: home }: Pick<Scene, 'world' | 'namespace'>): Promise<Victims> {
  const served = await serve(await makeStepCa());
  onStop(() => served.stop());
  const [victim, tenant] = [await world.namespace(), await world.namespace()];
  const stepCa = (namespace: string) => served.prepare({ world, namespace });
  const backends = {
    'shared-step': { stepCA: await stepCa(home) },
    'shared-own': { selfManaged: { commonName: 'Own' } },
  };
  const revocation = { superseded: 'Revoke', deleted: 'Revoke', policyViolation: 'Revoke', delay: '0s' };
  const stolen: Record<string, string> = {};
  for (const name of AUTHORITIES) {
    await world.client.create(CLUSTER_CERTIFICATE_AUTHORITIES, {
      metadata: { name },
      spec: { ...backends[name], revocation, allowedNamespaces: { names: [victim, tenant] } },
    });
    await untilClusterAuthority(world, name);
    stolen[name] = await issue(world, victim, name, atShared(name));
  }
  return { world, home, victim, tenant, ca: served.ca, stepCa, stolen: stolen as Victims['stolen'] };
}

export function atShared(name: Shared): Record<string, unknown> {
  return { authorityRef: { kind: 'ClusterCertificateAuthority', name } };
}

/** Waits until the certificate is issued; answers its serial number. */
export async function issue(world: World, namespace: string, name: string, spec: Record<string, unknown>) {
  await create(world, clientCertificate(namespace, name, spec));
  return (await untilReady(world, namespace, name)).serialNumber ?? '';
}

export function askToRevoke(world: World, namespace: string, name: string, ...serials: readonly string[]) {
  return patchCertificate(world, namespace, name, {
    metadata: { annotations: { [REVOKE_ANNOTATION]: serials.map((each) => `${each}=keyCompromise`).join(',') } },
  });
}

export async function ledgerOf({ client }: World, namespace: string, name: string): Promise<string> {
  const { annotations = {} } = (await client.get(SECRETS, namespace, `${name}-tls`))?.metadata ?? {};
  return annotations[SERIALS_ANNOTATION] ?? '';
}

/** Whether the CA itself says that it is revoked. */
export async function isRevoked({ world, home, ca }: Victims, at: Shared, serial: string): Promise<boolean> {
  if (at === 'shared-step') return (await entryOf(ca, serial)) !== undefined;
  const { metadata } = (await world.client.get(CLUSTER_CERTIFICATE_AUTHORITIES, undefined, at)) ?? {};
  return (await listedIn(world, home, metadata?.uid ?? '')).has(serial);
}

/** Waits until the tenant's own certificate is revoked, which shows that what it asked for was heard; then the victim's is not. */
export async function onlyOwnIsRevoked(victims: Victims, at: Shared, own: string): Promise<void> {
  await eventually(`${own} is revoked`, () => isRevoked(victims, at, own));
  await victimIsWell(victims);
}

export async function victimIsWell(victims: Victims): Promise<void> {
  const { world, victim, stolen } = victims;
  for (const at of AUTHORITIES) {
    assert.not.ok(await isRevoked(victims, at, stolen[at]), `the victim's certificate of ${at} is revoked`);
    const { serialNumber, conditions = [] } = await statusOf(world, victim, at);
    assert.is(serialNumber, stolen[at]);
    assert.is(conditions.find(({ type }) => type === 'Ready')?.status, 'True');
  }
  const { items } = await world.client.list(CLIENT_CERTIFICATES, { namespace: victim });
  assert.is(items.length, AUTHORITIES.length);
}

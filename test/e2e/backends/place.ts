import * as assert from 'uvu/assert';
import type { AuthorityStatus } from '../../../src/api/generated/types.ts';
import { CERTIFICATE_AUTHORITIES, CLUSTER_CERTIFICATE_AUTHORITIES } from '../../../src/api/names.ts';
import { eventually, PATIENCE_MS } from '../support/eventually.ts';
import { authorityStatusOf, conditionOf } from '../support/objects.ts';
import type { World } from '../support/world.ts';
import type { Place, Shared, Spec, Subject } from './subject.ts';

/** A namespace of its own. */
export async function place(world: World): Promise<Place> {
  return { world, namespace: await world.namespace() };
}

/** A namespace of its own with the authority `ca` in it, which is Ready. */
export async function readyAuthority(
  { world, served }: Pick<Shared, 'world' | 'served'>,
  { type }: Pick<Subject, 'type'>,
  url?: string,
): Promise<Place> {
  const where = await place(world);
  await createAuthority(where, type, await served.prepare(where, url));
  await untilAuthority(where);
  return where;
}

/** An authority of which only the backend matters. */
export async function createAuthority(
  { world, namespace }: Place,
  type: string,
  backend: Spec,
  name = 'ca',
): Promise<void> {
  await world.client.create(CERTIFICATE_AUTHORITIES, { metadata: { namespace, name }, spec: { [type]: backend } });
}

/**
 * A ClusterCertificateAuthority for one namespace, whose name it has, that asks a signer and approves by itself; answers
 * what its certificates refer to it by.
 */
export async function approvingAuthority({ client }: World, namespace: string, kubernetesCSR: object) {
  await client.create(CLUSTER_CERTIFICATE_AUTHORITIES, {
    metadata: { name: namespace },
    spec: { kubernetesCSR: { ...kubernetesCSR, approve: true }, allowedNamespaces: { names: [namespace] } },
  });
  return { authorityRef: { kind: 'ClusterCertificateAuthority', name: namespace } };
}

/** What the Ready condition of an authority is to be: true, unless told otherwise. */
interface Wanted {
  readonly status?: 'True' | 'False';
  readonly reason?: string;
  /** Part of its message. */
  readonly says?: string;
}

/** To open a provisioner's key takes half a second of work, and a machine may have many to open. */
const WAIT_MS = 60_000;

/** Waits until the Ready condition of an authority is as wanted, which must come within that time, and answers it. */
export function untilAuthority(
  { world, namespace }: Place,
  wanted: Wanted = {},
  { name = 'ca', withinMs = WAIT_MS } = {},
) {
  return untilSays(`${namespace}/${name}`, wanted, () => authorityStatusOf(world, namespace, name), withinMs);
}

/** The same of the cluster kind. */
export function untilClusterAuthority({ client }: World, name: string, wanted: Wanted = {}) {
  const status = async () => {
    const found = await client.get(CLUSTER_CERTIFICATE_AUTHORITIES, undefined, name);
    return (found?.status ?? {}) as AuthorityStatus;
  };
  return untilSays(name, wanted, status, WAIT_MS);
}

async function untilSays(
  name: string,
  { status = 'True', reason, says = '' }: Wanted,
  statusNow: () => Promise<AuthorityStatus>,
  withinMs: number,
) {
  let last = 'nothing';
  const asWanted = async () => {
    const ready = conditionOf(await statusNow(), 'Ready');
    if (ready === undefined) return undefined;
    last = `Ready=${ready.status}, ${ready.reason}: ${ready.message}`;
    return (
      ready.status === status && (reason ?? ready.reason) === ready.reason && ready.message.includes(says) && ready
    );
  };
  const what = `authority ${name} is ${JSON.stringify({ status, reason, says })}`;
  const fromMs = Date.now();
  const ready = await eventually(what, asWanted, PATIENCE_MS + withinMs).catch((error: Error) => {
    throw new Error(`${error.message}; it is ${last}`, { cause: error });
  });
  // By its own moment, in whole seconds: the test may have been late to ask.
  const tookMs = Date.parse(ready.lastTransitionTime) - fromMs;
  assert.ok(tookMs <= withinMs, `${what}: after ${tookMs} ms`);
  return ready;
}

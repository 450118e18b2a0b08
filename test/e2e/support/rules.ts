import { CLUSTER_CERTIFICATE_AUTHORITIES } from '../../../src/api/names.ts';
import { untilClusterAuthority } from '../backends/place.ts';
import { patch } from './edits.ts';
import { clientCertificate, conditionOf, create, untilReady } from './objects.ts';
import type { World } from './world.ts';

/** A self-managed ClusterCertificateAuthority for all namespaces with these rules, unless `spec` says otherwise; answers how to refer to it. */
export async function authorityWithRules(world: World, name: string, rules: readonly object[], spec: object = {}) {
  await world.client.create(CLUSTER_CERTIFICATE_AUTHORITIES, {
    metadata: { name },
    spec: {
      ...('certManager' in spec || 'kubernetesCSR' in spec ? {} : { selfManaged: { commonName: name } }),
      allowedNamespaces: { all: true },
      issuancePolicy: { rules },
      ...spec,
    },
  });
  await untilClusterAuthority(world, name);
  return { kind: 'ClusterCertificateAuthority', name };
}

export function setRules(world: World, authority: string, rules: readonly object[]) {
  return patch(world, CLUSTER_CERTIFICATE_AUTHORITIES, undefined, authority, { spec: { issuancePolicy: { rules } } });
}

/** Requests it, and waits until it is denied; answers the message. */
export async function denied(world: World, namespace: string, name: string, spec: Record<string, unknown>) {
  await create(world, clientCertificate(namespace, name, spec));
  const status = await untilReady(world, namespace, name, { status: 'False', reason: 'DeniedByPolicy' });
  return conditionOf(status, 'Ready')?.message ?? '';
}

/** Requests it, and waits until it is issued. */
export async function granted(world: World, namespace: string, name: string, spec: Record<string, unknown>) {
  await create(world, clientCertificate(namespace, name, spec));
  return untilReady(world, namespace, name);
}

import * as assert from 'uvu/assert';
import type { AuthorityStatus, TrustTargetStatus } from '../../../src/api/generated/types.ts';
import { CLUSTER_CERTIFICATE_AUTHORITIES, CONFIG_MAPS, type Resource } from '../../../src/api/names.ts';
import type { RawObject } from '../../../src/api/parse.ts';
import { certificatesOf } from '../authority/history.ts';
import { AT_ONCE } from '../support/objects.ts';
import { plainApi } from '../support/plain-api.ts';
import { eventually, type World } from '../support/world.ts';

export const ALL_KINDS = ['--trust-targets', 'configMaps,secrets,clusterTrustBundles'];

/** A target that is the ConfigMap `client-ca` in namespaces with these labels. */
export function inTeam(team: string) {
  const selector = { matchLabels: { team } };
  return { name: 'gateways', configMap: { name: 'client-ca' }, namespaces: { selector } };
}

export function createClusterAuthority({ client }: World, name: string, targets: readonly object[], spec: object = {}) {
  return client.create(CLUSTER_CERTIFICATE_AUTHORITIES, {
    metadata: { name },
    spec: {
      selfManaged: { commonName: name },
      allowedNamespaces: { all: true },
      caRotation: AT_ONCE,
      trust: { targets },
      ...spec,
    },
  });
}

export async function clusterStatus({ client }: World, name: string): Promise<AuthorityStatus> {
  return ((await client.get(CLUSTER_CERTIFICATE_AUTHORITIES, undefined, name))?.status ?? {}) as AuthorityStatus;
}

export async function targetStatus(world: World, authority: string, target: string): Promise<TrustTargetStatus> {
  const { trust } = await clusterStatus(world, authority);
  const found = trust?.targets?.find(({ name }) => name === target);
  return found ?? { name: target, kind: 'ConfigMap', object: '', objects: -1, holding: -1 };
}

export function label({ cluster }: World, namespace: string, labels: Record<string, string | null>) {
  const path = `/api/v1/namespaces/${namespace}`;
  return plainApi(cluster).send('PATCH', path, { metadata: { labels } }, 'application/merge-patch+json');
}

export function readConfigMap({ client }: World, namespace: string, name = 'client-ca') {
  return client.get(CONFIG_MAPS, namespace, name);
}

export function pemOf(object: RawObject | undefined): string {
  return object?.data?.['ca.crt'] ?? '';
}

/** Waits until a ConfigMap holds so many CA certificates; answers it. */
export function untilHeld(world: World, namespace: string, count = 1, name = 'client-ca'): Promise<RawObject> {
  return eventually(`${namespace}/${name} holds ${count} CA certificates`, async () => {
    const found = await readConfigMap(world, namespace, name);
    return found !== undefined && certificatesOf(pemOf(found)).length === count && found;
  });
}

export function untilGone(world: World, namespace: string, name = 'client-ca') {
  return eventually(`${namespace}/${name} is gone`, async () => {
    return (await readConfigMap(world, namespace, name)) === undefined;
  });
}

/** Waits until the status of a target says what is wanted; answers it. */
export async function untilStatus(
  world: World,
  authority: string,
  wanted: (status: TrustTargetStatus) => boolean,
  target = 'gateways',
): Promise<TrustTargetStatus> {
  let last: TrustTargetStatus | undefined;
  return eventually(`the status of target ${target} of ${authority}`, async () => {
    last = await targetStatus(world, authority, target);
    return wanted(last) && last;
  }).catch((error) => {
    throw new Error(`${error.message}: ${JSON.stringify(last)}`);
  });
}

/** Waits until all objects of a target hold what they should. */
export function untilAllHold(world: World, authority: string, objects: number, target = 'gateways') {
  return untilStatus(world, authority, (status) => status.objects === objects && status.holding === objects, target);
}

/** Changes fields of an object as another field manager would. */
export function edit({ cluster }: World, resource: Resource, namespace: string, name: string, patch: object) {
  const path = `/api/v1/namespaces/${namespace}/${resource.plural}/${name}?fieldManager=somebody-else`;
  return plainApi(cluster).send<RawObject>('PATCH', path, patch, 'application/merge-patch+json');
}

export function createConfigMap({ client }: World, namespace: string, data: object, metadata: object = {}) {
  return client.create(CONFIG_MAPS, { metadata: { namespace, name: 'client-ca', ...metadata }, data } as never);
}

/** The CA certificates of a self-managed cluster authority, oldest first, from status. */
export async function caOf(world: World, authority: string): Promise<string> {
  const { generations = [] } = await clusterStatus(world, authority);
  return generations[0]?.certificate ?? assert.unreachable('it has a generation') ?? '';
}

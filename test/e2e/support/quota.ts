import { type Resource, resourcePath } from '../../../src/api/names.ts';
import { plainApi } from './plain-api.ts';
import type { World } from './world.ts';

const QUOTAS: Resource = {
  group: '',
  version: 'v1',
  plural: 'resourcequotas',
  kind: 'ResourceQuota',
  namespaced: true,
};

/**
 * A ResourceQuota of that name that is used up, such as by `{ 'count/secrets': '1' }`; answers the function that deletes it. No
 * controller counts the usage here, so this writes it.
 */
export async function usedUp(
  { client, cluster }: World,
  namespace: string,
  name: string,
  hard: Readonly<Record<string, string>>,
): Promise<() => Promise<unknown>> {
  await client.create(QUOTAS, { metadata: { namespace, name }, spec: { hard } } as never);
  const path = resourcePath(QUOTAS, namespace, name, 'status');
  await plainApi(cluster).send('PATCH', path, { status: { hard, used: hard } }, 'application/merge-patch+json');
  return () => client.delete(QUOTAS, namespace, name);
}

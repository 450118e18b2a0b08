import { LEASES, NAMESPACES } from '../../../../src/api/names.ts';
import {
  AUTHORITY_PERMISSIONS,
  CLUSTER_AUTHORITY_PERMISSIONS,
  CLUSTER_PERMISSIONS,
  FINALIZER_PERMISSIONS,
  LEASE_PERMISSIONS,
  NAMESPACED_PERMISSIONS,
  type PolicyRule,
} from '../../../../src/api/permissions.ts';
import type { BackendDefinition } from '../../../../src/backends/backend.ts';
import { BACKENDS } from '../../../../src/backends/index.ts';
import { eventually } from '../../support/eventually.ts';
import type { World } from '../../support/world.ts';

const RBAC = 'rbac.authorization.k8s.io';
export const SYSTEM_NAMESPACE = 'certwheel-system';

const DEFINITIONS: readonly BackendDefinition<never>[] = BACKENDS;
/** What authorities need where they are, and where their keys are. */
const OF_AUTHORITIES = [...AUTHORITY_PERMISSIONS, ...DEFINITIONS.flatMap(({ permissions }) => permissions)];
const OF_NAMESPACE = [...NAMESPACED_PERMISSIONS, ...FINALIZER_PERMISSIONS, ...OF_AUTHORITIES];
const OF_CLUSTER = [
  ...CLUSTER_AUTHORITY_PERMISSIONS,
  ...CLUSTER_PERMISSIONS,
  ...DEFINITIONS.flatMap(({ clusterPermissions = [] }) => clusterPermissions),
];

/** The kubeconfig of a user who may do what the chart grants for a whole cluster, and `more`, and not one verb besides. */
export async function clusterUser(world: World, user: string, more: readonly PolicyRule[] = []): Promise<string> {
  await ensureNamespace(world, SYSTEM_NAMESPACE);
  await grant(world, user, undefined, [...OF_NAMESPACE, ...OF_CLUSTER, ...more]);
  await grant(world, user, SYSTEM_NAMESPACE, LEASE_PERMISSIONS);
  await untilAllowed(world, user, ['list', 'secrets', '--all-namespaces']);
  await untilAllowed(world, user, ['patch', 'leases.coordination.k8s.io/certwheel', '-n', SYSTEM_NAMESPACE]);
  return world.cluster.kubeconfigFor(user);
}

/** The kubeconfig of a user with these rights in one namespace, and no others. */
export async function grantedUser(
  world: World,
  user: string,
  namespace: string,
  permissions: readonly PolicyRule[],
): Promise<string> {
  await grant(world, user, namespace, permissions);
  const [{ verbs: [verb = ''] = [], resources: [resource = ''] = [], resourceNames: [name] = [] } = {}] = permissions;
  if (verb !== '') await untilAllowed(world, user, [verb, `${resource}/${name}`, '-n', namespace]);
  return world.cluster.kubeconfigFor(user);
}

/** The same for single namespaces: Roles alone. */
export async function namespaceUser(world: World, user: string, namespaces: readonly string[]): Promise<string> {
  for (const namespace of namespaces) await grantNamespace(world, user, namespace);
  return world.cluster.kubeconfigFor(user);
}

export async function grantNamespace(world: World, user: string, namespace: string): Promise<void> {
  await grant(world, user, namespace, [...OF_NAMESPACE, ...LEASE_PERMISSIONS]);
  await untilAllowed(world, user, ['list', 'secrets', '-n', namespace]);
  await untilAllowed(world, user, ['list', 'clientcertificates.certwheel.io', '-n', namespace]);
}

export async function ensureNamespace({ client }: World, name: string): Promise<void> {
  if ((await client.get(NAMESPACES, undefined, name)) === undefined)
    await client.create(NAMESPACES, { metadata: { name } });
}

/** Who holds the Lease; empty when nobody does. */
export async function holder({ client }: World, namespace: string): Promise<string> {
  const lease = await client.get(LEASES, namespace, 'certwheel');
  const { holderIdentity = '' } = (lease?.spec ?? {}) as { holderIdentity?: string };
  return holderIdentity;
}

async function grant(
  { cluster }: World,
  user: string,
  namespace: string | undefined,
  permissions: readonly PolicyRule[],
): Promise<void> {
  const prefix = namespace === undefined ? 'Cluster' : '';
  const metadata = { name: `certwheel-${user}`, ...(namespace === undefined ? {} : { namespace }) };
  const role = {
    apiVersion: `${RBAC}/v1`,
    kind: `${prefix}Role`,
    metadata,
    rules: permissions.map(({ why: _, ...rule }) => rule),
  };
  const binding = {
    apiVersion: `${RBAC}/v1`,
    kind: `${prefix}RoleBinding`,
    metadata,
    subjects: [{ apiGroup: RBAC, kind: 'User', name: user }],
    roleRef: { apiGroup: RBAC, kind: `${prefix}Role`, name: metadata.name },
  };
  const list = { apiVersion: 'v1', kind: 'List', items: [role, binding] };
  await cluster.kubectl(['apply', '--server-side', '-f', '-'], { input: JSON.stringify(list) });
}

/** The authorizer hears of a role a moment after it is stored. */
async function untilAllowed({ cluster }: World, user: string, what: readonly string[]): Promise<void> {
  await eventually(`${user} may ${what.join(' ')}`, async () => {
    const { code } = await cluster.kubectl(['auth', 'can-i', ...what, '--as', user], { allowFailure: true });
    return code === 0;
  });
}

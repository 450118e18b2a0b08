import { test } from 'uvu';
import * as assert from 'uvu/assert';
import {
  APPROVAL_PERMISSIONS,
  AUTHORITY_PERMISSIONS,
  BOOKS_PERMISSIONS,
  CLUSTER_AUTHORITY_PERMISSIONS,
  CLUSTER_PERMISSIONS,
  CLUSTER_TARGET_PERMISSIONS,
  FINALIZER_PERMISSIONS,
  LEASE_PERMISSIONS,
  NAMESPACED_PERMISSIONS,
  type PolicyRule,
  SHARD_PERMISSIONS,
  TARGET_PERMISSIONS,
} from '../../src/api/permissions.ts';
import type { BackendDefinition } from '../../src/backends/backend.ts';
import { BACKENDS } from '../../src/backends/index.ts';
import { parseCommandLine } from '../../src/config.ts';
import { NAMESPACE, ofKind, one, podOf, render } from './support/helm.ts';

/** Each once, though several kinds of authority may need it. */
const rules = (permissions: readonly PolicyRule[]) => [...new Set(permissions)].map(({ why: _, ...rule }) => rule);
const DEFINITIONS: readonly BackendDefinition<never>[] = BACKENDS;
const OF_AUTHORITIES = rules([...AUTHORITY_PERMISSIONS, ...DEFINITIONS.flatMap(({ permissions }) => permissions)]);
const EVERYWHERE = [
  ...rules([...NAMESPACED_PERMISSIONS, ...APPROVAL_PERMISSIONS, ...FINALIZER_PERMISSIONS]),
  ...OF_AUTHORITIES,
];
const CLUSTER = rules([
  ...CLUSTER_PERMISSIONS,
  ...DEFINITIONS.flatMap(({ clusterPermissions = [] }) => clusterPermissions),
  ...CLUSTER_AUTHORITY_PERMISSIONS,
]);

test('the roles are what the code says that it needs', async () => {
  const manifests = await render();
  assert.equal(one(manifests, 'ClusterRole', 'certwheel').rules, [...EVERYWHERE, ...CLUSTER]);
  assert.equal(one(manifests, 'Role').rules, rules(LEASE_PERMISSIONS));
  assert.is(one(manifests, 'ClusterRoleBinding').subjects?.[0]?.namespace, NAMESPACE);
});

test('with shards the Leases of all replicas and of all ranges can be written, and all of the namespace be seen', async () => {
  for (const shards of [3, 256]) assert.equal(one(await render({ shards }), 'Role').rules, rules(SHARD_PERMISSIONS));
});

test('replicas with shards can keep their rights in an upgrade that turns shards off', async () => {
  for (const leaderElection of [{ enabled: true }, { enabled: false }]) {
    const manifests = await render({ replicaCount: 1, leaderElection, rbac: { shards: true } });
    assert.equal(one(manifests, 'Role').rules, rules(SHARD_PERMISSIONS));
    assert.not.ok(podOf(manifests).container.args.some((each: string) => each.startsWith('--shards')));
  }
});

test('kinds of authority that the values leave out get no rights, and the controller serves none of them', async () => {
  const least = [
    ...NAMESPACED_PERMISSIONS,
    ...APPROVAL_PERMISSIONS,
    ...FINALIZER_PERMISSIONS,
    ...AUTHORITY_PERMISSIONS,
    ...CLUSTER_PERMISSIONS,
    ...CLUSTER_AUTHORITY_PERMISSIONS,
  ];
  for (const { type, permissions, clusterPermissions = [] } of DEFINITIONS) {
    const manifests = await render({ controller: { authorities: [type] } });
    const granted = one(manifests, 'ClusterRole', 'certwheel').rules as readonly object[];
    const wanted = rules([...least, ...permissions, ...clusterPermissions]);
    const sorted = (all: readonly object[]) => all.map((each) => JSON.stringify(each)).sort();
    assert.equal(sorted(granted), sorted(wanted), type);
    assert.ok(podOf(manifests).container.args.includes(`--authorities=${type}`));
  }
  const { args } = podOf(await render()).container;
  const command = parseCommandLine(args, {}, false);
  const standard = 'config' in command ? command.config.authorities : undefined;
  assert.equal([...(standard ?? [])].sort(), DEFINITIONS.map(({ type }) => type).sort(), 'all of them by default');
  for (const authorities of [['kubernetesCsr'], []])
    assert.match(String(await render({ controller: { authorities } }).catch(String)), 'authorities');
});

test('kinds of trust targets get rights and a flag only where the values list them', async () => {
  const before = one(await render(), 'ClusterRole', 'certwheel').rules as readonly object[];
  const added = async (trustTargets: object, flag: string | undefined) => {
    const manifests = await render({ trustTargets });
    const flags = podOf(manifests).container.args.filter((each) => each.startsWith('--trust-targets'));
    assert.equal(flags, flag === undefined ? [] : [`--trust-targets=${flag}`]);
    const known = new Set(before.map((each) => JSON.stringify(each)));
    const all = one(manifests, 'ClusterRole', 'certwheel').rules as readonly object[];
    return all.filter((each) => !known.has(JSON.stringify(each)));
  };
  assert.equal(await added({}, undefined), []);
  assert.equal(await added({ configMaps: true }, 'configMaps'), rules([TARGET_PERMISSIONS.configMaps]));
  assert.equal(await added({ pods: true }, 'pods'), rules([TARGET_PERMISSIONS.pods]));
  assert.equal(await added({ secrets: true }, 'secrets'), []);
  const bundles = rules([CLUSTER_TARGET_PERMISSIONS.clusterTrustBundles]);
  const attest = {
    apiGroups: ['certificates.k8s.io'],
    resources: ['signers'],
    resourceNames: ['example.com/mtls'],
    verbs: ['attest'],
  };
  assert.equal(await added({ clusterTrustBundles: true }, 'clusterTrustBundles'), bundles);
  const signers = ['example.com/mtls'];
  assert.equal(await added({ clusterTrustBundles: true, signers }, 'clusterTrustBundles'), [...bundles, attest]);
});

test('ConfigMaps are read only for kinds of authority that have a trust bundle or a certificate in one, and where the values say so for requests', async () => {
  const withBundle = async (type: string, values = {}) =>
    JSON.stringify(
      one(await render({ controller: { authorities: [type] }, ...values }), 'ClusterRole', 'certwheel').rules,
    ).includes('configmaps');
  assert.ok(await withBundle('secret', { clientRequests: { configMaps: true } }));
  const found = [];
  for (const { type } of DEFINITIONS) if (await withBundle(type)) found.push(type);
  assert.equal(found.sort(), ['acme', 'certManager', 'cloudflare', 'external', 'kubernetesCSR', 'pkcs11', 'vault']);
});

test('to edit a namespace is to edit its certificates, and its authorities only where the values say so', async () => {
  const aggregated = async (given: object) =>
    ofKind(await render(given as Record<string, unknown>), 'ClusterRole')
      .filter(({ metadata }) => metadata.labels?.['rbac.authorization.k8s.io/aggregate-to-edit'] === 'true')
      .map(({ metadata }) => metadata.name);
  assert.equal(await aggregated({}), ['certwheel-view', 'certwheel-edit']);
  const all = ['certwheel-view', 'certwheel-edit', 'certwheel-edit-authorities'];
  assert.equal(await aggregated({ rbac: { aggregateAuthorities: true } }), all);
  const [ours, authorities] = await Promise.all(
    ['certwheel-edit', 'certwheel-edit-authorities'].map(
      async (name) => one(await render(), 'ClusterRole', name).rules,
    ),
  );
  const verbs = ['create', 'update', 'patch', 'delete', 'deletecollection'];
  const apiGroups = ['certwheel.io'];
  assert.equal(ours, [{ apiGroups, resources: ['clientcertificates'], verbs }]);
  assert.equal(authorities, [{ apiGroups, resources: ['certificateauthorities'], verbs }]);
});

test('only where the controller is its ServiceAccount, everybody else is kept from the keys that Certwheel keeps', async () => {
  const policiesOf = async (given: Readonly<Record<string, unknown>>) =>
    ofKind(await render(given), 'ValidatingAdmissionPolicy')
      .map(({ metadata }) => metadata.name.split('.')[0])
      .sort();
  const forUsers = ['certwheel-appr', 'certwheel-rules'];
  assert.equal(
    await policiesOf({}),
    [
      'certwheel',
      'certwheel-books',
      'certwheel-csr',
      'certwheel-holds',
      'certwheel-maps',
      'certwheel-next',
      ...forUsers,
    ].sort(),
  );
  assert.equal(await policiesOf({ admissionPolicy: { enabled: false } }), ['certwheel-appr']);
  assert.equal(await policiesOf({ admissionPolicy: { enabled: false }, approvals: { enabled: false } }), []);
  for (const given of [{ serviceAccount: { automount: false } }, { extraArgs: ['--kubeconfig=/etc/kubeconfig'] }])
    assert.equal(await policiesOf(given), ['certwheel', 'certwheel-csr', 'certwheel-maps', ...forUsers].sort());
});

test('in namespaces mode there are Roles in these namespaces and nothing for the cluster', async () => {
  const manifests = await render({ namespaces: ['shop', 'bank'] });
  assert.equal(ofKind(manifests, 'ClusterRole'), []);
  assert.equal(ofKind(manifests, 'ClusterRoleBinding'), []);
  const roles = ofKind(manifests, 'Role').map(({ metadata, rules }) => [metadata.namespace, metadata.name, rules]);
  assert.equal(roles, [
    ['shop', 'certwheel', EVERYWHERE],
    ['bank', 'certwheel', EVERYWHERE],
    [NAMESPACE, 'certwheel-books', rules(BOOKS_PERMISSIONS)],
    [NAMESPACE, 'certwheel-leader-election', rules(LEASE_PERMISSIONS)],
  ]);
  assert.is(ofKind(manifests, 'RoleBinding').length, 4);
  assert.ok(podOf(manifests).container.args.includes('--namespaces=shop,bank'));
});

test('in namespaces mode cluster authorities take a ClusterRole for them alone, and their keys a Role', async () => {
  const manifests = await render({ namespaces: ['shop'], controller: { clusterAuthorities: true } });
  assert.equal(one(manifests, 'ClusterRole').rules, rules(CLUSTER_AUTHORITY_PERMISSIONS));
  assert.is(one(manifests, 'ClusterRoleBinding').subjects?.[0]?.namespace, NAMESPACE);
  const own = one(manifests, 'Role', 'certwheel-cluster-authorities');
  assert.equal([own.metadata.namespace, own.rules], [NAMESPACE, OF_AUTHORITIES]);
  assert.ok(podOf(manifests).container.args.includes('--cluster-authorities=true'));
});

test('without approvals no right to see them is given', async () => {
  const manifests = await render({ approvals: { enabled: false } });
  assert.equal(one(manifests, 'ClusterRole', 'certwheel').rules, [
    ...rules([...NAMESPACED_PERMISSIONS, ...FINALIZER_PERMISSIONS]),
    ...OF_AUTHORITIES,
    ...CLUSTER,
  ]);
});

test('without finalizers there is no right to change ClientCertificates, and no policy for it', async () => {
  const manifests = await render({ revocation: { finalizers: false } });
  const granted = JSON.stringify(one(manifests, 'ClusterRole', 'certwheel').rules);
  assert.not.ok(granted.includes(JSON.stringify(rules(FINALIZER_PERMISSIONS)[0])));
  const policies = ofKind(manifests, 'ValidatingAdmissionPolicy').map(({ metadata }) => metadata.name);
  assert.not.ok(policies.some((name) => name.includes('-holds.')));
});

test.run();

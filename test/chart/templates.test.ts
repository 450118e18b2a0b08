import { readFileSync } from 'node:fs';
import { load } from 'js-yaml';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import {
  AUTHORITY_PERMISSIONS,
  CLUSTER_AUTHORITY_PERMISSIONS,
  CLUSTER_PERMISSIONS,
  LEASE_PERMISSIONS,
  NAMESPACED_PERMISSIONS,
  type PolicyRule,
} from '../../src/api/permissions.ts';
import type { BackendDefinition } from '../../src/backends/backend.ts';
import { BACKENDS } from '../../src/backends/index.ts';
import { EXPORTING_PREFIXES } from '../../src/certificate/decision/exported-keys.ts';
import { parseCommandLine } from '../../src/config.ts';
import { CHART, NAMESPACE, ofKind, one, podOf, ROOT, render } from './support/helm.ts';
import { runHelm } from './support/run-helm.ts';

/** Each once, though several kinds of authority may need it. */
const rules = (permissions: readonly PolicyRule[]) => [...new Set(permissions)].map(({ why: _, ...rule }) => rule);
const DEFINITIONS: readonly BackendDefinition<never>[] = BACKENDS;
const OF_AUTHORITIES = rules([...AUTHORITY_PERMISSIONS, ...DEFINITIONS.flatMap(({ permissions }) => permissions)]);
const EVERYWHERE = [...rules(NAMESPACED_PERMISSIONS), ...OF_AUTHORITIES];
const CLUSTER = rules([
  ...CLUSTER_PERMISSIONS,
  ...DEFINITIONS.flatMap(({ clusterPermissions = [] }) => clusterPermissions),
  ...CLUSTER_AUTHORITY_PERMISSIONS,
]);

test('helm lint --strict has nothing to say', async () => {
  for (const file of ['', 'namespaces', 'everything', 'bare']) {
    const extra = file === '' ? [] : ['--values', `${import.meta.dirname}/values/${file}.yaml`];
    const { code, stdout, stderr } = await runHelm(['lint', '--strict', CHART, ...extra]);
    assert.is(code, 0, stdout + stderr);
    assert.not.match(stdout, /\[(INFO|WARNING|ERROR)\]/);
  }
});

const SYNC_OPTIONS = 'argocd.argoproj.io/sync-options';
const KEPT = { 'helm.sh/resource-policy': 'keep', [SYNC_OPTIONS]: 'Prune=false,Delete=false' };

async function crdsWith(crds: object) {
  return ofKind(await render({ crds }), 'CustomResourceDefinition');
}

test('the CRDs are those of crds/, and Helm and Argo CD keep them unless told otherwise', async () => {
  for (const keep of [true, false]) {
    const definitions = await crdsWith({ keep });
    assert.is(definitions.length, 3);
    for (const { metadata, ...rest } of definitions) {
      const source = load(readFileSync(`${ROOT}/crds/${metadata.name.split('.')[0]}.yaml`, 'utf8')) as typeof rest;
      const { annotations, ...others } = metadata;
      assert.equal({ ...rest, metadata: others }, source);
      assert.equal(annotations, keep ? KEPT : undefined);
    }
  }
  assert.equal(ofKind(await render({ crds: { enabled: false } }), 'CustomResourceDefinition'), []);
});

test('annotations of the CRDs from the values are added, and cannot undo that they are kept', async () => {
  const given = { 'example.com/owner': 'pki', [SYNC_OPTIONS]: 'ServerSideApply=true', 'helm.sh/resource-policy': 'x' };
  for (const { metadata } of await crdsWith({ annotations: given }))
    assert.equal(metadata.annotations, {
      ...KEPT,
      'example.com/owner': 'pki',
      [SYNC_OPTIONS]: 'Prune=false,Delete=false,ServerSideApply=true',
    });
  // As after an upgrade with --reuse-values from a release that had no such value.
  for (const { metadata } of await crdsWith({ annotations: null })) assert.equal(metadata.annotations, KEPT);
  for (const { metadata } of await crdsWith({ keep: false, annotations: given }))
    assert.equal(metadata.annotations, given);
});

test('every object has a namespace or belongs to the cluster, and its labels', async () => {
  for (const manifest of await render({ commonLabels: { team: 'pki' } })) {
    const { kind, metadata } = manifest;
    if (kind === 'CustomResourceDefinition' || metadata.annotations?.['helm.sh/hook'] !== undefined) continue;
    const isOfCluster = /^(ClusterRole|ValidatingAdmission)/.test(kind);
    assert.is(metadata.namespace, isOfCluster ? undefined : NAMESPACE, kind);
    assert.is(metadata.labels?.['app.kubernetes.io/part-of'], 'certwheel');
    assert.is(metadata.labels?.team, 'pki', kind);
  }
});

test('the roles are what the code says that it needs', async () => {
  const manifests = await render();
  assert.equal(one(manifests, 'ClusterRole', 'certwheel').rules, [...EVERYWHERE, ...CLUSTER]);
  assert.equal(one(manifests, 'Role').rules, rules(LEASE_PERMISSIONS));
  assert.is(one(manifests, 'ClusterRoleBinding').subjects?.[0]?.namespace, NAMESPACE);
});

test('kinds of authority that the values leave out get no rights, and the controller serves none of them', async () => {
  const least = [
    ...NAMESPACED_PERMISSIONS,
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

test('ConfigMaps are read only for kinds of authority that have a trust bundle', async () => {
  const withBundle = async (type: string) =>
    JSON.stringify(
      one(await render({ controller: { authorities: [type] } }), 'ClusterRole', 'certwheel').rules,
    ).includes('configmaps');
  const found = [];
  for (const { type } of DEFINITIONS) if (await withBundle(type)) found.push(type);
  assert.equal(found.sort(), ['certManager', 'kubernetesCSR', 'vault']);
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

test('only where the controller is its ServiceAccount, everybody else is kept from the keys that wait', async () => {
  const policiesOf = async (given: Readonly<Record<string, unknown>>) =>
    ofKind(await render(given), 'ValidatingAdmissionPolicy')
      .map(({ metadata }) => metadata.name.split('.')[0])
      .sort();
  assert.equal(await policiesOf({}), ['certwheel', 'certwheel-csr', 'certwheel-next']);
  assert.equal(await policiesOf({ admissionPolicy: { enabled: false } }), []);
  for (const given of [{ serviceAccount: { automount: false } }, { extraArgs: ['--kubeconfig=/etc/kubeconfig'] }])
    assert.equal(await policiesOf(given), ['certwheel', 'certwheel-csr']);
});

test('in namespaces mode there are Roles in these namespaces and nothing for the cluster', async () => {
  const manifests = await render({ namespaces: ['shop', 'bank'] });
  assert.equal(ofKind(manifests, 'ClusterRole'), []);
  assert.equal(ofKind(manifests, 'ClusterRoleBinding'), []);
  const roles = ofKind(manifests, 'Role').map(({ metadata, rules }) => [metadata.namespace, metadata.name, rules]);
  assert.equal(roles, [
    ['shop', 'certwheel', EVERYWHERE],
    ['bank', 'certwheel', EVERYWHERE],
    [NAMESPACE, 'certwheel-leader-election', rules(LEASE_PERMISSIONS)],
  ]);
  assert.is(ofKind(manifests, 'RoleBinding').length, 3);
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

test('the controller understands every argument that the chart gives it', async () => {
  for (const given of [
    {},
    { namespaces: ['shop'] },
    { namespaces: ['shop'], controller: { clusterAuthorities: true } },
    { metrics: { enabled: false } },
    { log: { format: 'text' } },
  ]) {
    const { args } = podOf(await render(given)).container;
    const command = parseCommandLine(args, {}, false);
    assert.ok('config' in command);
    assert.is(command.config.controllerNamespace, NAMESPACE);
    assert.is(command.config.leaderElect, true);
  }
});

test('large numbers stay numbers', async () => {
  const { args } = podOf(
    await render({ controller: { certificateSeries: 1_000_000, namespaceShareMiB: 2_048 } }),
  ).container;
  for (const each of ['--certificate-series=1000000', '--namespace-share-mib=2048', '--namespace-authorities=50'])
    assert.ok(args.includes(each), each);
});

test('lists of networks and of prefixes reach the controller, also where they are empty', async () => {
  const configOf = async (controller: object) => {
    const command = parseCommandLine(podOf(await render({ controller })).container.args, {}, false);
    return 'config' in command ? command.config : undefined;
  };
  const standard = await configOf({});
  assert.is(standard?.authorityNetworks, undefined);
  assert.equal(standard?.deniedTemplatePrefixes, EXPORTING_PREFIXES);
  const authorityNetworks = ['10.0.0.0/8', 'fd00::/8'];
  const set = await configOf({ authorityNetworks, deniedTemplatePrefixes: ['push.example.com/'] });
  assert.equal(set?.authorityNetworks, authorityNetworks);
  assert.equal(set?.deniedTemplatePrefixes, ['push.example.com/']);
  assert.equal((await configOf({ deniedTemplatePrefixes: [] }))?.deniedTemplatePrefixes, []);
});

test('the image is named by registry, repository and tag, or by digest', async () => {
  const imageOf = async (image: object) => podOf(await render({ image })).container.image;
  const digest = `sha256:${'0'.repeat(64)}`;
  assert.is(await imageOf({}), 'certwheel/certwheel:0.1.0');
  assert.is(
    await imageOf({ registry: 'registry.example.com', tag: 'v1' }),
    'registry.example.com/certwheel/certwheel:v1',
  );
  assert.is(await imageOf({ tag: 'v1', digest }), `certwheel/certwheel@${digest}`);
});

test('liveness and readiness ask different pages, and no CPU limit is set', async () => {
  const { container } = podOf(await render());
  assert.is(container.livenessProbe.httpGet.path, '/healthz');
  assert.is(container.readinessProbe.httpGet.path, '/readyz');
  assert.is(container.resources.limits.cpu, undefined);
  assert.ok(
    container.resources.limits.memory && container.resources.requests.cpu && container.resources.requests.memory,
  );
  assert.is(container.command, undefined);
});

const OPENSHIFT = ['--api-versions', 'security.openshift.io/v1'];
const IDS = { runAsUser: 65532, runAsGroup: 65532, fsGroup: 65532 };

/** The ids that both Pods of the chart ask for. */
async function idsOf(podSecurityContext: object, args: readonly string[] = []) {
  const manifests = await render({ podSecurityContext }, args);
  const [ids, ofHelmTest] = [podOf(manifests), one(manifests, 'Pod').spec].map(({ securityContext = {} }) => {
    const { runAsNonRoot, seccompProfile, ...rest } = securityContext;
    assert.is(runAsNonRoot, true);
    assert.equal(seccompProfile, { type: 'RuntimeDefault' });
    return rest;
  });
  assert.equal(ids, ofHelmTest);
  return ids;
}

test('Pods run as 65532, except where OpenShift assigns the ids or the values name others', async () => {
  assert.equal(await idsOf({}), IDS);
  assert.equal(await idsOf({}, OPENSHIFT), {});
  assert.equal(await idsOf({ runAsUser: 1000 }), { ...IDS, runAsUser: 1000 });
  assert.equal(await idsOf({ runAsUser: 1000, fsGroup: 0 }, OPENSHIFT), { runAsUser: 1000, fsGroup: 0 });
  assert.equal(await idsOf({ runAsUser: null, runAsGroup: null, fsGroup: null }), {});
  assert.equal(await idsOf({ supplementalGroups: [7] }, OPENSHIFT), { supplementalGroups: [7] });
});

test('the NetworkPolicy lets out DNS and the API server on the ports of every common distribution', async () => {
  const portsOf = async (given: object) =>
    (one(await render({ networkPolicy: given }), 'NetworkPolicy', 'certwheel').spec.egress ?? []).map(({ ports }) =>
      ports.map(({ port, protocol = 'TCP' }) => `${port}/${protocol}`),
    );
  const dns = ['53/UDP', '53/TCP', '5353/UDP', '5353/TCP'];
  assert.equal(await portsOf({}), [dns, ['443/TCP', '6443/TCP', '8443/TCP', '16443/TCP']]);
  assert.equal(await portsOf({ apiServerPorts: [6443] }), [dns, ['6443/TCP']]);
});

test('replicas are spread, by a selector of their own where none was given', async () => {
  const matchLabels = { 'app.kubernetes.io/name': 'certwheel', 'app.kubernetes.io/instance': 'certwheel' };
  const own = {
    maxSkew: 1,
    topologyKey: 'rack',
    whenUnsatisfiable: 'DoNotSchedule',
    labelSelector: { matchLabels: { a: 'b' } },
  };
  const spread = async (given: object) =>
    podOf(await render(given as Record<string, unknown>)).topologySpreadConstraints;
  const standard = await spread({});
  assert.equal(
    standard?.map(({ labelSelector }) => labelSelector),
    [{ matchLabels }, { matchLabels }],
  );
  assert.equal(await spread({ topologySpreadConstraints: [own] }), [own]);
  assert.is(await spread({ topologySpreadConstraints: [] }), undefined);
});

test('what can be turned off is gone when it is', async () => {
  const manifests = await render({
    crds: { enabled: false },
    rbac: { create: false },
    serviceAccount: { create: false, name: 'mine' },
    admissionPolicy: { enabled: false },
    podDisruptionBudget: { enabled: false },
    networkPolicy: { enabled: false },
    metrics: { enabled: false },
  });
  assert.equal(
    manifests.map(({ kind }) => kind),
    ['Deployment'],
  );
  const pod = podOf(manifests);
  assert.is(pod.serviceAccountName, 'mine');
  assert.ok(pod.container.args.includes('--metrics-bind-address=0'));
});

test('names stay within 63 characters', async () => {
  const fullnameOverride = 'a'.repeat(40);
  for (const { kind, metadata } of await render({ fullnameOverride, crds: { enabled: false } }))
    assert.ok(metadata.name.length <= 63, `${kind} ${metadata.name}`);
});

test.run();

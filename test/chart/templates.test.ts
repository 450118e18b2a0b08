import { readFileSync } from 'node:fs';
import { load } from 'js-yaml';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { EXPORTING_PREFIXES } from '../../src/certificate/decision/exported-keys.ts';
import { parseCommandLine } from '../../src/config.ts';
import { CHART, NAMESPACE, ofKind, one, podOf, ROOT, render } from './support/helm.ts';
import { runHelm } from './support/run-helm.ts';

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
    assert.is(definitions.length, 4);
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

test('with shards all replicas act, and none is elected', async () => {
  const { args } = podOf(await render({ shards: 64, replicaCount: 3 })).container;
  const command = parseCommandLine(args, {}, false);
  assert.ok('config' in command);
  assert.equal([command.config.leaderElect, command.config.shards], [false, 64]);
  assert.not.ok(podOf(await render()).container.args.some((arg) => arg.startsWith('--shards')));
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

test('the library of an HSM, its tenants and the folder of PINs reach the program', async () => {
  const configOf = async (controller: object) => {
    const command = parseCommandLine(podOf(await render({ controller })).container.args, {}, false);
    return 'config' in command ? command.config : undefined;
  };
  const nothing = { addon: undefined, library: undefined, pinFolder: undefined, tenantTokens: [], mostProcesses: 8 };
  assert.equal((await configOf({}))?.hsm, nothing);
  const pkcs11 = {
    module: '/opt/hsm.so',
    tenantTokens: ['shop/shop%20ca', '*/shared'],
    pinFolder: '/pins',
    processes: 3,
  };
  assert.equal((await configOf({ pkcs11 }))?.hsm, {
    addon: undefined,
    library: '/opt/hsm.so',
    pinFolder: '/pins',
    tenantTokens: [
      { namespace: 'shop', token: 'shop ca' },
      { namespace: '*', token: 'shared' },
    ],
    mostProcesses: 3,
  });
});

for (const [memory, processes, expected] of [
  ['288Mi', 8, '800Mi'],
  ['1Gi', 1, '1088Mi'],
  ['500M', 8, '500M'],
] as const)
  test(`a memory limit of ${memory} becomes ${expected} with ${processes} processes of a PKCS#11 library`, async () => {
    const limitOf = async (module: string) => {
      const values = { controller: { pkcs11: { module, processes } }, resources: { limits: { memory } } };
      return podOf(await render(values)).container.resources.limits.memory;
    };
    assert.is(await limitOf('/opt/hsm.so'), expected);
    assert.is(await limitOf(''), memory);
  });

test('verifiers are asked only where the values say so, and only in the networks that they list', async () => {
  const probesOf = async (values: Readonly<Record<string, unknown>>) => {
    const command = parseCommandLine(podOf(await render(values)).container.args, {}, false);
    if (!('config' in command)) throw new Error('no configuration');
    const { probes, probeAddresses, tenantProbeAddresses } = command.config;
    return { probes, probeAddresses, tenantProbeAddresses };
  };
  const off = await probesOf({});
  assert.is(off.probes, false);
  assert.equal(off.tenantProbeAddresses, []);
  const probes = { enabled: true, addresses: ['10.1.0.0/16'], tenantAddresses: ['10.2.0.0/16'] };
  assert.equal(await probesOf({ probes }), {
    probes: true,
    probeAddresses: ['10.1.0.0/16'],
    tenantProbeAddresses: ['10.2.0.0/16'],
  });
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
    approvals: { enabled: false },
    requestStamps: { enabled: false },
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

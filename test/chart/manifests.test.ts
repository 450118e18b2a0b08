import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { loadAll } from 'js-yaml';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { oneWorld } from '../e2e/support/world.ts';
import { type Manifest, NAMESPACE, ofKind, render, renderText } from './support/helm.ts';
import { installOperatorCrds, OPERATOR_API } from './support/operator.ts';

const VALUES = [[], ['namespaces'], ['everything'], ['bare']];
/** Its own, and those that the values name. */
const NAMESPACES = [NAMESPACE, 'shop', 'bank', 'monitoring'];

const shared = oneWorld({ own: true });
test.after(shared.stop);

let prepared: Promise<void> | undefined;

/** The kinds of the Prometheus Operator, and the namespaces of the manifests, where Pods that aren't restricted warn. */
function prepare(): Promise<void> {
  prepared ??= shared.get().then(async ({ cluster }) => {
    await installOperatorCrds(cluster);
    const labels = { 'pod-security.kubernetes.io/warn': 'restricted' };
    const items = NAMESPACES.map((name) => ({ apiVersion: 'v1', kind: 'Namespace', metadata: { name, labels } }));
    const list = { apiVersion: 'v1', kind: 'List', items };
    await cluster.kubectl(['apply', '--server-side', '-f', '-'], { input: JSON.stringify(list) });
  });
  return prepared;
}

/** What the API server says of manifests, as if they were applied: a line for each that it takes, and its complaints. */
async function dryRun(manifests: string): Promise<{ taken: number; complaints: string }> {
  await prepare();
  const { cluster } = await shared.get();
  const args = ['apply', '--server-side', '--dry-run=server', '--validate=strict', '-f', '-'];
  const { stdout, stderr } = await cluster.kubectl(args, { input: manifests, allowFailure: true });
  return { taken: stdout.split('\n').filter((line) => line.endsWith('(server dry run)')).length, complaints: stderr };
}

const valuesOf = (files: readonly string[]) => [
  ...OPERATOR_API,
  ...files.flatMap((file) => ['--values', join(import.meta.dirname, `values/${file}.yaml`)]),
];

for (const files of VALUES) {
  const name = files[0] ?? 'default';

  test(`${name}: the API server takes every object, and warns of none`, async () => {
    const manifests = await renderText({}, valuesOf(files));
    const count = loadAll(manifests).filter((each) => each !== null).length;
    assert.ok(count >= 1);
    assert.equal(await dryRun(manifests), { taken: count, complaints: '' });
  });

  test(`${name}: every selector finds Pods of the chart`, async () => {
    const manifests = await render({}, valuesOf(files));
    const pods = [
      ...ofKind(manifests, 'Deployment').map(({ spec }) => spec.template?.metadata?.labels ?? {}),
      ...ofKind(manifests, 'Pod').map(({ metadata }) => metadata.labels ?? {}),
    ];
    const selectors = manifests.flatMap(selectorsOf);
    assert.ok(selectors.length > 0);
    for (const { kind, selector } of selectors) {
      assert.ok(Object.keys(selector).length > 0, `${kind} selects everything`);
      const finds = pods.some((labels) => isDeepStrictEqual({ ...labels, ...selector }, labels));
      assert.ok(finds, `${kind} finds nothing by ${JSON.stringify(selector)}`);
    }
  });
}

/** The labels by which an object finds Pods. */
function selectorsOf({ kind, spec }: Manifest): { kind: string; selector: object }[] {
  switch (kind) {
    case 'Deployment':
    case 'PodDisruptionBudget':
      return [{ kind, selector: spec.selector?.matchLabels ?? {} }];
    case 'NetworkPolicy':
      return [{ kind, selector: spec.podSelector?.matchLabels ?? {} }];
    case 'Service':
      return [{ kind, selector: spec.selector ?? {} }];
    default:
      return [];
  }
}

test('with the Prometheus Operator in the cluster, the chart brings what is for it', async () => {
  const kinds = (await render({}, valuesOf(['everything']))).map(({ kind }) => kind);
  for (const kind of ['ServiceMonitor', 'PrometheusRule']) assert.ok(kinds.includes(kind), kind);
});

test('the dry run refuses what is wrong, and warns of Pods that are not restricted', async () => {
  const certificate = (spec: string) => `apiVersion: certwheel.io/v1alpha1
kind: ClientCertificate
metadata: {name: a, namespace: default}
spec: ${spec}`;
  const named = 'metadata: {name: a, namespace: default}';
  const problems: readonly [manifest: string, complaint: RegExp][] = [
    [certificate('{authorityRef: {name: ca}, secretName: a, commonName: a, durations: 1h}'), /spec\.durations/],
    [certificate('{authorityRef: {name: ca}, secretName: 1, commonName: a}'), /spec\.secretName|expected string/],
    [
      `apiVersion: monitoring.coreos.com/v1\nkind: ServiceMonitor\n${named}\nspec: {selector: {}, endpoint: []}`,
      /spec\.endpoint/,
    ],
    [`apiVersion: policy/v1\nkind: PodDisruptionBudget\n${named}\nspec: {maxUnavailables: 1}`, /maxUnavailables/],
  ];
  for (const [manifest, complaint] of problems) {
    const { taken, complaints } = await dryRun(manifest);
    assert.is(taken, 0, manifest);
    assert.match(complaints, complaint);
  }
  const good = await dryRun(certificate('{authorityRef: {name: ca}, secretName: a, commonName: a}'));
  assert.equal(good, { taken: 1, complaints: '' });
  const metadata = `metadata: {name: a, namespace: ${NAMESPACE}}`;
  const pod = `apiVersion: v1\nkind: Pod\n${metadata}\nspec: {containers: [{name: a, image: a}]}`;
  assert.match((await dryRun(pod)).complaints, /Warning: would violate PodSecurity/);
});

test.run();

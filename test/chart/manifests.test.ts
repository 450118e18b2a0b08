import { loadAll } from 'js-yaml';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { oneWorld } from '../e2e/support/world.ts';
import { NAMESPACE, ofKind, render, renderText } from './support/helm.ts';
import { installOperatorCrds } from './support/operator.ts';
import { VALUE_SETS, valuesOf } from './support/value-sets.ts';

/** Its own, and those that the values name. */
const NAMESPACES = [NAMESPACE, 'shop', 'bank', 'monitoring'];
const RESTRICTED = 'restricted';

const shared = oneWorld({ own: true });
test.after(shared.stop);

let prepared: Promise<void> | undefined;

/**
 * The kinds of the Prometheus Operator, the namespaces of the manifests, in which the API server warns of workloads whose
 * Pods aren't restricted, and one that refuses such Pods.
 */
function prepare(): Promise<void> {
  prepared ??= shared.get().then(async ({ cluster }) => {
    await installOperatorCrds(cluster);
    const namespace = (name: string, mode: 'enforce' | 'warn') => {
      const labels = { [`pod-security.kubernetes.io/${mode}`]: 'restricted' };
      return { apiVersion: 'v1', kind: 'Namespace', metadata: { name, labels } };
    };
    const items = [...NAMESPACES.map((name) => namespace(name, 'warn')), namespace(RESTRICTED, 'enforce')];
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

for (const name of VALUE_SETS) {
  test(`${name}: the API server takes every object, and warns of none`, async () => {
    const manifests = await renderText({}, valuesOf(name));
    const count = loadAll(manifests).filter((each) => each !== null).length;
    assert.ok(count >= 1);
    assert.equal(await dryRun(manifests), { taken: count, complaints: '' });
  });

  test(`${name}: a Pod of each Deployment is let into a namespace that enforces restricted Pod Security`, async () => {
    for (const deployment of ofKind(await render({}, valuesOf(name)), 'Deployment')) {
      const { metadata, spec } = deployment.spec.template ?? {};
      const pod = {
        apiVersion: 'v1',
        kind: 'Pod',
        metadata: { ...metadata, name: 'pod', namespace: RESTRICTED },
        spec,
      };
      assert.equal(await dryRun(JSON.stringify(pod)), { taken: 1, complaints: '' });
    }
  });
}

test('with the Prometheus Operator in the cluster, the chart brings what is for it', async () => {
  const kinds = (await render({}, valuesOf('everything'))).map(({ kind }) => kind);
  for (const kind of ['ServiceMonitor', 'PrometheusRule']) assert.ok(kinds.includes(kind), kind);
});

test('the dry run refuses what is wrong, and Pods that are not restricted', async () => {
  const certificate = (spec: string) => `apiVersion: certwheel.io/v1alpha1
kind: ClientCertificate
metadata: {name: a, namespace: default}
spec: ${spec}`;
  const named = 'metadata: {name: a, namespace: default}';
  const problems: readonly [manifest: string, complaint: RegExp][] = [
    [certificate('{authorityRef: {name: ca}, secretName: a, commonName: a, durations: 1h}'), /spec\.durations/],
    [certificate('{authorityRef: {name: ca}, secretName: 1, commonName: a}'), /secretName.*string/s],
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
  const podIn = (namespace: string) =>
    `apiVersion: v1\nkind: Pod\nmetadata: {name: a, namespace: ${namespace}}\nspec: {containers: [{name: a, image: a}]}`;
  assert.match((await dryRun(podIn(NAMESPACE))).complaints, /Warning: would violate PodSecurity/);
  const refused = await dryRun(podIn(RESTRICTED));
  assert.is(refused.taken, 0);
  assert.match(refused.complaints, /forbidden: violates PodSecurity "restricted/);
});

test.run();

import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { oneWorld } from '../e2e/support/world.ts';
import { renderText } from './support/helm.ts';
import { SCHEMA_PATH, writeSchemas } from './support/openapi.ts';
import { installOperatorCrds, OPERATOR_API } from './support/operator.ts';
import { runTool } from './tools.ts';

const VALUES = [[], ['namespaces'], ['everything'], ['bare']];

const UNWANTED = [
  // A CPU limit would make a storm of renewals longer.
  '--ignore-container-cpu-limit',
  // Tags of releases never move, and a node without its registry must still be able to start a Pod.
  '--ignore-test=container-image-pull-policy',
];

const shared = oneWorld();
test.after(shared.stop);

let schemas: Promise<string> | undefined;

/** The folder of the schemas, with our own CRDs among them. */
function schemaFolder(): Promise<string> {
  schemas ??= shared.get().then(async ({ cluster }) => {
    const folder = join(cluster.dir, 'schemas');
    await installOperatorCrds(cluster);
    const count = await writeSchemas(cluster, folder);
    assert.ok(count > 80, `${count} schemas`);
    return folder;
  });
  return schemas;
}

async function kubeconform(input: string) {
  const location = join(await schemaFolder(), SCHEMA_PATH);
  return runTool('kubeconform', ['-strict', '-summary', '-verbose', '-schema-location', location], { input });
}

const rendered = (files: readonly string[]) =>
  renderText({}, [
    ...OPERATOR_API,
    ...files.flatMap((file) => ['--values', join(import.meta.dirname, `values/${file}.yaml`)]),
  ]);

for (const files of VALUES) {
  const name = files[0] ?? 'default';

  test(`${name}: every object is what the API server's schemas say`, async () => {
    const { code, stdout, stderr } = await kubeconform(await rendered(files));
    const bad = stdout.split('\n').filter((line) => line !== '' && !line.endsWith(' is valid'));
    assert.is(code, 0, bad.join('\n') + stderr);
    const [, valid, invalid] = /Valid: (\d+), Invalid: (\d+), Errors: 0, Skipped: 0/.exec(stdout) ?? [];
    assert.ok(Number(valid) >= 1 && invalid === '0', stdout);
  });
}

// Not those that turn the NetworkPolicy off, which is what kube-score would say.
for (const files of VALUES.filter(([name]) => name !== 'bare')) {
  test(`${files[0] ?? 'default'}: kube-score finds nothing critical`, async () => {
    const args = ['score', ...UNWANTED, '--output-format', 'ci', '-'];
    const { code, stdout, stderr } = await runTool('kube-score', args, { input: await rendered(files) });
    const critical = stdout.split('\n').filter((line) => line.startsWith('[CRITICAL]'));
    assert.equal(critical, []);
    assert.is(code, 0, stderr);
  });
}

test('with the Prometheus Operator in the cluster, the chart brings what is for it', async () => {
  const kinds = [...(await rendered(['everything'])).matchAll(/^kind: (.*)$/gm)].map(([, kind]) => kind);
  for (const kind of ['ServiceMonitor', 'PrometheusRule']) assert.ok(kinds.includes(kind), kind);
});

test('the schemas refuse what the API server would', async () => {
  const certificate = (spec: string) => `apiVersion: certwheel.io/v1alpha1
kind: ClientCertificate
metadata: {name: a}
spec: ${spec}`;
  const problems = [
    certificate('{authorityRef: {name: ca}, secretName: a, commonName: a, durations: 1h}'),
    certificate('{authorityRef: {name: ca}, secretName: 1, commonName: a}'),
    'apiVersion: monitoring.coreos.com/v1\nkind: ServiceMonitor\nmetadata: {name: a}\nspec: {selector: {}, endpoint: []}',
    'apiVersion: policy/v1\nkind: PodDisruptionBudget\nmetadata: {name: a}\nspec: {maxUnavailables: 1}',
  ];
  for (const problem of problems) {
    const { code, stdout } = await kubeconform(problem);
    assert.is(code, 1, problem);
    assert.match(stdout, /Invalid: 1/);
  }
  assert.is((await kubeconform(certificate('{authorityRef: {name: ca}, secretName: a, commonName: a}'))).code, 0);
});

test.run();

/** Every example applies, as a user would apply it, and so does every resource that a page shows. */
import { globSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { loadAll } from 'js-yaml';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { BACKENDS } from '../../../src/backends/index.ts';
import { fileNameOf } from '../../docs/authority-places.ts';
import { lazily } from '../support/lazily.ts';
import { type Json, startWithCrds } from './api.ts';

const ROOT = join(import.meta.dirname, '../../..');
const files = globSync('examples/**/*.{yaml,yml}', { cwd: ROOT }).sort();

function objects(file: string): Json[] {
  return loadAll(readFileSync(join(ROOT, file), 'utf8')) as Json[];
}

const shared = lazily(async () => {
  const api = await startWithCrds();
  const namespaces = files.flatMap(objects).map(({ metadata }) => (metadata as Json).namespace);
  for (const name of new Set(namespaces.filter((name) => name !== undefined))) {
    await api.cluster.kubectl(['create', 'namespace', String(name)]);
  }
  return api;
});
test.after(shared.stop);

test('there is an example for each thing that people begin with', () => {
  for (const folder of [
    'quickstart',
    ...BACKENDS.map(({ type }) => `authorities/${fileNameOf(type)}`),
    'cluster-authority',
    'client-certificate',
    'fallback',
    'outputs',
    'trust',
    'workloads',
  ]) {
    assert.ok(
      files.some((file) => dirname(file) === `examples/${folder}`),
      folder,
    );
  }
});

for (const file of files) {
  test(`${file} applies`, async () => {
    const options = ['--dry-run=server', '--validate=strict', '-f', join(ROOT, file)];
    const { cluster } = await shared.get();
    const { stdout, stderr } = await cluster.kubectl(['apply', '--server-side', ...options]);
    assert.is(stdout.trim().split('\n').length, objects(file).length);
    assert.is(stderr, '');
    assert.not.match(readFileSync(join(ROOT, file), 'utf8'), 'PRIVATE KEY');
  });
}

const PAGES = globSync('{README.md,docs/**/*.md}', { cwd: ROOT }).sort();
const blocks = PAGES.flatMap((page) =>
  [...readFileSync(join(ROOT, page), 'utf8').matchAll(/^```yaml\n(apiVersion: certwheel\.io[\s\S]*?)```/gm)].map(
    ([, block = ''], at) => ({ title: `resource ${at + 1} of ${page}`, block }),
  ),
);

for (const { title, block } of blocks) {
  test(`${title} applies`, async () => {
    const { cluster } = await shared.get();
    const options = ['--dry-run=server', '--validate=strict', '-f', '-'];
    const { stderr } = await cluster.kubectl(['apply', '--server-side', ...options], { input: block });
    assert.is(stderr, '');
  });
}

test('the quickstart applies as a folder, in the order of its names, into a cluster without its namespace', async () => {
  const api = await shared.get();
  await api.cluster.kubectl(['delete', 'namespace', 'certwheel-demo', '--wait=false']);
  // Without a controller-manager nobody empties the namespace, so its finalizer is taken away by hand.
  const gone = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'certwheel-demo' }, spec: { finalizers: [] } };
  await api.send('PUT', '/api/v1/namespaces/certwheel-demo/finalize', gone);
  const { stdout } = await api.cluster.kubectl(['apply', '-f', join(ROOT, 'examples/quickstart')]);
  assert.match(stdout.split('\n')[0] ?? '', 'namespace/certwheel-demo created');
  const secrets = files
    .filter((file) => file.startsWith('examples/quickstart'))
    .flatMap(objects)
    .map(({ spec }) => (spec as Json)?.secretName);
  const named = secrets.filter((name) => name !== undefined);
  assert.is(new Set(named).size, named.length, 'each certificate has a Secret of its own');
});

test.run();

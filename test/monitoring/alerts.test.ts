import { globSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { stopAll } from '../teardown.ts';
import { promtool } from './promtool.ts';
import { alertNames, RULES_FILE } from './rules.ts';

const ROOT = join(import.meta.dirname, '../..');
const CASES = globSync('alerts/*.yaml', { cwd: import.meta.dirname }).sort();

test.after(stopAll);

test('promtool finds nothing wrong with the rules', async () => {
  const { code, text } = await promtool(['check', 'rules', '--lint=all', '--lint-fatal', RULES_FILE]);
  assert.is(code, 0, text);
  assert.match(text, /SUCCESS: \d+ rules found/);
});

test('every alert is tried in time', () => {
  const tried = CASES.map((path) => basename(path, '.yaml'));
  assert.equal(tried, [...alertNames()].sort());
});

for (const path of CASES) {
  test(`${basename(path, '.yaml')} fires when it should, and only then`, async () => {
    const { code, text } = await promtool(['test', 'rules', join(import.meta.dirname, path)]);
    assert.is(code, 0, text);
  });
}

test('promtool takes the scrape configuration of docs/monitoring.md, which keeps the labels of the metrics', async () => {
  const [, configuration = ''] =
    /```yaml\n([\s\S]*?)```/.exec(readFileSync(join(ROOT, 'docs/monitoring.md'), 'utf8')) ?? [];
  assert.match(configuration, 'honor_labels: true');
  const folder = mkdtempSync(join(tmpdir(), 'certwheel-scrape-'));
  try {
    // Debian builds Prometheus without the discovery of Kubernetes, so that part stays untried.
    const without = configuration.replace(
      /kubernetes_sd_configs:\n( {6}.*\n)+/,
      "static_configs: [{targets: ['127.0.0.1:1']}]\n",
    );
    writeFileSync(join(folder, 'prometheus.yaml'), without);
    const { code, text } = await promtool(['check', 'config', join(folder, 'prometheus.yaml')]);
    assert.is(code, 0, text);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test('a case that is wrong is noticed', async () => {
  const wrong = join(import.meta.dirname, 'wrong', 'CertwheelControllerAbsent.yaml');
  const { code, text } = await promtool(['test', 'rules', wrong]);
  assert.is(code, 1);
  assert.match(text, 'FAILED');
});

test.run();

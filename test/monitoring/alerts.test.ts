import { globSync } from 'node:fs';
import { basename, join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { promtool } from './promtool.ts';
import { alertNames, RULES_FILE } from './rules.ts';

const CASES = globSync('alerts/*.yaml', { cwd: import.meta.dirname }).sort();

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

test('a case that is wrong is noticed', async () => {
  const wrong = join(import.meta.dirname, 'wrong', 'CertwheelControllerAbsent.yaml');
  const { code, text } = await promtool(['test', 'rules', wrong]);
  assert.is(code, 1);
  assert.match(text, 'FAILED');
});

test.run();

import { execFile, spawn } from 'node:child_process';
import { globSync } from 'node:fs';
import { basename, join } from 'node:path';
import { text } from 'node:stream/consumers';
import { promisify } from 'node:util';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { systemClock } from '../../src/clock.ts';
import { createMetrics } from '../../src/metrics.ts';
import { prometheusPrograms } from './programs.ts';
import { alertNames, RULES_FILE } from './rules.ts';

const CASES = globSync('alerts/*.yaml', { cwd: import.meta.dirname }).sort();

/** Runs promtool; throws with what it printed when it isn't content. */
async function promtool(...args: string[]): Promise<string> {
  const { promtool } = await prometheusPrograms();
  const done = await promisify(execFile)(promtool, args).catch(({ stdout, stderr }) => {
    throw new Error(`promtool ${args.join(' ')}\n${stdout}${stderr}`);
  });
  return done.stdout;
}

test('promtool finds nothing wrong with the rules', async () => {
  assert.match(await promtool('check', 'rules', '--lint=all', '--lint-fatal', RULES_FILE), /SUCCESS: \d+ rules found/);
});

test('every alert is tried in time', () => {
  assert.equal(
    CASES.map((path) => basename(path, '.yaml')),
    [...alertNames()].sort(),
  );
});

for (const path of CASES) {
  test(`${basename(path, '.yaml')} fires when it should, and only then`, async () => {
    await promtool('test', 'rules', join(import.meta.dirname, path));
  });
}

test('a case that is wrong is noticed', async () => {
  const wrong = join(import.meta.dirname, 'wrong', 'CertwheelControllerAbsent.yaml');
  const failure = await promtool('test', 'rules', wrong).catch((error: Error) => error.message);
  assert.match(failure, 'FAILED');
});

test('promtool finds nothing wrong with the metrics of the controller', async () => {
  const { promtool } = await prometheusPrograms();
  const metrics = createMetrics(['secret'], systemClock, 10);
  metrics.ask({ queueDepth: () => 0, watches: () => [], monotonicMs: () => 0, leading: () => true });
  const child = spawn(promtool, ['check', 'metrics'], { stdio: ['pipe', 'pipe', 'pipe'] });
  child.stdin.end(await metrics.registry.metrics());
  const said = `${await text(child.stdout)}${await text(child.stderr)}`;
  // What Node's own metrics are called is not ours to say.
  assert.equal(
    said.split('\n').filter((line) => line.startsWith('certwheel_')),
    [],
  );
});

test.run();

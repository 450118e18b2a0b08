import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { onStop, stopAll } from '../../teardown.ts';

const ROOT = join(import.meta.dirname, '../../..');
/** From the failure on; a process that something keeps alive would run for ever. */
const LONGEST_MS = 60_000;

test.after(stopAll);

test('a file whose test fails in the middle reports the failure and ends, whatever was running', async () => {
  const child = spawn(process.execPath, [join(import.meta.dirname, 'teardown-fixture.ts')], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  onStop(() => child.kill('SIGKILL'));
  let timer: NodeJS.Timeout | undefined;
  child.stdout.on('data', (piece) => {
    if (String(piece).includes('everything runs')) timer = setTimeout(() => child.kill('SIGKILL'), LONGEST_MS);
  });
  const [output, errors, [code, signal]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, 'exit'),
  ]);
  clearTimeout(timer);
  assert.match(output, 'everything runs');
  assert.is(signal, null, `it did not end:\n${output}${errors}`);
  assert.is(code, 1);
  assert.match(output, /on purpose[\s\S]*Total: +1\s[\s\S]*Passed: +0\s/);
  assert.is(errors, '');
});

test('all is ended in the opposite order, once, and what can not be fails the file without hiding its tests', async () => {
  const script = `
    import { test } from 'uvu';
    const { onStop, stopAll } = await import(${JSON.stringify(join(ROOT, 'test/teardown.ts'))});
    test.after(stopAll);
    onStop(() => console.log('first'));
    onStop(() => { throw new Error('stuck'); });
    const stop = onStop(() => console.log('last'));
    onStop(() => setTimeout(() => onStop(() => console.log('late')), 10));
    test('passes', () => stop());
    test.run();`;
  const child = spawn(process.execPath, ['--input-type=module', '--eval', script], {
    cwd: ROOT,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  onStop(() => child.kill('SIGKILL'));
  const [output, errors, [code]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'exit')]);
  assert.is(code, 1);
  assert.match(output, /^last\n[\s\S]*first\n[\s\S]*Passed: +1\s[\s\S]*late\n$/);
  assert.is(output.match(/last/g)?.length, 1);
  assert.match(errors, 'could not be stopped after the tests: Error: stuck');
});

/** Folders whose tests start programs, servers and watches. */
const SUITES = [
  'test/e2e/**/*.ts',
  'test/cluster/**/*.test.ts',
  'test/{chart,monitoring}/**/*.ts',
  'test/demo/*.test.ts',
  'src/**/*.test.ts',
];
/** What keeps a process alive until it is stopped. */
const STARTS =
  /\.listen\(|\bsetInterval\(|\bspawn\(|\bstartApp\(|\bstartGuard\(|\bstartControlPlane\(|\bstartNode\(|\bstartVault\(|\bprepareCertManager\(|\.watch\(|= startTraffic\(/;
/** Each of these runs after a failed assertion too. */
const STOPS = /\bonStop\(|\blazily\(|\bopenWorld\(|\bfinally \{/;
const SHARES = /\btest\.after\([\s\S]{0,80}?(\bstopAll\b|\.stop\b)|\bstandBehindProxy\(|\bconformance\(/;

/** These answer how they end, and the file that starts one registers that. */
const SERVERS = 'test/e2e/backends/servers/';

/** It ends with its process, which the file that starts it ends. */
const isProgram = (path: string) => readFileSync(join(ROOT, path), 'utf8').includes('if (import.meta.main)');

const files = globSync(SUITES, { cwd: ROOT })
  .filter((path) => !path.startsWith(SERVERS) && !isProgram(path))
  .sort();
const contentOf = (path: string) => readFileSync(join(ROOT, path), 'utf8');
/** Calls, not the definitions of what is called, nor comments. */
const codeOf = (path: string) =>
  contentOf(path)
    .split('\n')
    .filter((line) => !/^\s*(\/?\*|\/\/)|\bfunction \w+\(|^import /.test(line))
    .join('\n');

test('every file that starts something registers how it ends', () => {
  const starting = files.filter((path) => STARTS.test(codeOf(path)));
  assert.ok(starting.length > 20, `only ${starting.length} files start something`);
  assert.equal(
    starting.filter((path) => !STOPS.test(codeOf(path))),
    [],
  );
});

test('every test file that registers something ends it after its tests', () => {
  const registering = files.filter(
    (path) => path.endsWith('.test.ts') && /\bonStop\(|\blazily\(|\boneWorld\(/.test(codeOf(path)),
  );
  assert.ok(registering.length > 50, `only ${registering.length} files register something`);
  assert.equal(
    registering.filter((path) => !SHARES.test(codeOf(path))),
    [],
  );
});

test('no test file starts anything in test.before, whose errors uvu passes over', () => {
  assert.equal(
    files.filter((path) => /\btest\.before\(/.test(codeOf(path))),
    [],
  );
});

test.run();

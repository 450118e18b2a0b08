import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { text } from 'node:stream/consumers';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { eventually } from '../e2e/support/eventually.ts';
import { onStop, stopAll } from '../teardown.ts';
import { startGuard } from './guard.ts';
import { isRunning } from './process-identity.ts';

test.after(stopAll);

/** What the process that owns the guard does once its program runs. */
const waysToEnd = {
  'is killed': 'process.kill(process.pid, "SIGKILL")',
  'gets SIGTERM': 'process.kill(process.pid, "SIGTERM")',
  'gets SIGINT': 'process.kill(process.pid, "SIGINT")',
  'throws an exception': 'throw new Error("broken test")',
  'calls process.exit()': 'process.exit(1)',
  'forgets to close the guard': '',
};

for (const [way, script] of Object.entries(waysToEnd)) {
  test(`programs, their children and the folder go when the process that owns the guard ${way}`, async () => {
    const folder = mkdtempSync(join(tmpdir(), 'certwheel-guard-'));
    const pids = await runGuardedElsewhere(folder, script);
    assert.is(pids.length, 2);
    await eventually('they are gone', () => !existsSync(folder) && !pids.some(isRunning));
  });
}

test('a program that ignores SIGTERM is killed after the grace', async () => {
  const guard = startGuard();
  onStop(guard.close);
  const stubborn = guard.run('stubborn', 'sh', ['-c', 'trap "" TERM; echo ready; while :; do sleep 0.1; done']);
  if (stubborn.stdout) {
    await once(stubborn.stdout, 'data');
  }
  await stubborn.stop(100);
  assert.equal(stubborn.ending(), { code: null, signal: 'SIGKILL' });
  await guard.close();
});

test('a program gets its arguments unchanged, and its exit code and output come back', async () => {
  const guard = startGuard();
  onStop(guard.close);
  const run = guard.run('echo', 'sh', ['-c', 'printf "%s|" "$@"; cat; exit 3', 'sh', 'a b', '$HOME', '']);
  run.stdin?.end('input');
  const output = run.stdout ? await text(run.stdout) : '';
  assert.is(output, 'a b|$HOME||input');
  assert.equal(await run.ended, { code: 3, signal: null });
  await guard.close();
});

test('closing the guard ends what still runs, and nothing can be run any more', async () => {
  const guard = startGuard();
  onStop(guard.close);
  const { pid, ended } = guard.run('sleep', 'sleep', ['60']);
  await guard.close();
  assert.equal(await ended, { code: null, signal: 'SIGTERM' });
  assert.not(isRunning(pid));
  assert.throws(() => guard.run('sleep', 'sleep', ['60']), /was stopped/);
});

async function runGuardedElsewhere(folder: string, then: string): Promise<number[]> {
  const program = 'sleep 60 & echo $$ $!; wait';
  const script = `
    import { readFileSync } from 'node:fs';
    const { startGuard } = await import(${JSON.stringify(join(import.meta.dirname, 'guard.ts'))});
    const folder = ${JSON.stringify(folder)};
    startGuard(folder, { removeFolder: true }).run('sh', 'sh', ['-c', '${program}'], { logPath: folder + '/log' });
    let pids = '';
    while (!pids.endsWith('\\n')) {
      await new Promise((resolve) => setTimeout(resolve, 10));
      pids = readFileSync(folder + '/log', 'utf8');
    }
    process.stdout.write(pids);
    ${then}`;
  const owner = spawn(process.execPath, ['--input-type=module', '--eval', script], {
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  onStop(() => owner.kill('SIGKILL'));
  const [line] = await once(createInterface({ input: owner.stdout }), 'line');
  return String(line).split(' ').map(Number);
}

test.run();

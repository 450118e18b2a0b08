import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { ownIdentity } from '../cluster/process-identity.ts';
import { onStop, stopAll } from '../teardown.ts';
import { withLock } from './lock.ts';

const folder = mkdtempSync(join(tmpdir(), 'certwheel-lock-'));

onStop(() => rmSync(folder, { recursive: true }));
test.after(stopAll);

test('processes that start at once do the work one after the other', async () => {
  const path = join(folder, 'contended');
  const journal = join(folder, 'journal');
  const script = `
    import { appendFileSync } from 'node:fs';
    const { withLock } = await import(${JSON.stringify(join(import.meta.dirname, 'lock.ts'))});
    await withLock(${JSON.stringify(path)}, async () => {
      appendFileSync(${JSON.stringify(journal)}, 'in ');
      await new Promise((resolve) => setTimeout(resolve, 100));
      appendFileSync(${JSON.stringify(journal)}, 'out ');
    });`;
  const run = () => {
    const child = spawn(process.execPath, ['--input-type=module', '--eval', script], { stdio: 'ignore' });
    onStop(() => child.kill('SIGKILL'));
    return child;
  };
  await Promise.all([run(), run(), run()].map((child) => once(child, 'close')));
  assert.is(readFileSync(journal, 'utf8'), 'in out in out in out ');
  assert.not(existsSync(path));
});

test('the lock of a dead process is taken over, and so is one whose pid was given to another process', async () => {
  const path = join(folder, 'stale');
  const dead = { ...ownIdentity(), pid: spawnSync('true').pid };
  const reused = { ...ownIdentity(), startTime: '1' };
  for (const owner of [dead, reused]) {
    writeFileSync(path, JSON.stringify(owner));
    assert.is(await withLock(path, async () => 'done'), 'done');
  }
});

test('the lock is given back when the work fails', async () => {
  const path = join(folder, 'failing');
  try {
    await withLock(path, () => Promise.reject(new Error('broken')));
    assert.unreachable();
  } catch (error) {
    assert.is((error as Error).message, 'broken');
  }
  assert.not(existsSync(path));
});

test.run();

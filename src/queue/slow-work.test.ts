import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { FakeClock, settle } from '../../test/unit/fake-clock.ts';
import { SlowWork } from './slow-work.ts';

const START = new Date('2026-06-01T12:00:00Z');
const { signal } = new AbortController();

/** Slow work, one at a time, which ends when the test says so. */
function bench(isThere: (key: string) => boolean = () => true) {
  const clock = new FakeClock(START);
  const called: string[] = [];
  const begun: string[] = [];
  const ends: (() => void)[] = [];
  const slow = new SlowWork(1, clock, (key) => called.push(key) > 0 && isThere(key));
  const run = (key: string, until = signal) =>
    slow.run(
      key,
      undefined,
      () => {
        begun.push(key);
        return new Promise<void>((resolve) => ends.push(resolve));
      },
      until,
    );
  const end = async () => {
    ends.shift()?.();
    await settle();
  };
  return { clock, slow, called, begun, run, end };
}

test('work waits for its turn, and namespaces take turns', async () => {
  const { begun, run, end } = bench();
  for (const key of ['greedy/1', 'greedy/2', 'greedy/3', 'other/1']) void run(key);
  for (let n = 0; n < 4; n++) await end();
  assert.equal(begun, ['greedy/1', 'greedy/2', 'other/1', 'greedy/3']);
});

test('each piece of work of one key has its turn', async () => {
  const { begun, run, end } = bench();
  for (let n = 0; n < 4; n++) void run('one/1');
  const stop = new AbortController();
  const stopped = run('one/1', stop.signal).catch((error) => error.message);
  stop.abort(new Error('shutting down'));
  assert.is(await stopped, 'shutting down');
  void run('two/1');
  for (let n = 0; n < 5; n++) await end();
  assert.equal([...begun].sort(), ['one/1', 'one/1', 'one/1', 'one/1', 'two/1']);
});

test('work that is called in the very moment in which it is turned away has its turn', async () => {
  const { clock, slow, begun, run, end } = bench((key) => key !== 'gone/1');
  const release = clock.takeTimers();
  void run('in/1');
  assert.not(slow.enter('absent/1', undefined));
  assert.not(slow.enter('gone/1', undefined));
  await end();
  await clock.advance(1_000);
  void run('k/1');
  await clock.advance(5_000);
  release();
  assert.equal(begun, ['in/1', 'k/1']);
});

test('a key that was turned away is called from outside, in turn with those that wait here', async () => {
  const { slow, called, begun, run, end } = bench();
  void run('one/1');
  assert.not(slow.enter('two/1', undefined));
  void run('three/1');
  await end();
  assert.equal([begun, called], [['one/1'], ['two/1']]);
  assert.ok(slow.enter('two/1', undefined));
  slow.leave();
  await settle();
  assert.equal(begun, ['one/1', 'three/1']);
});

test('work that fails leaves its place to the next', async () => {
  const { slow, begun, run } = bench();
  const failed = slow.run('one/1', undefined, () => Promise.reject(new Error('no')), signal).catch(() => 'failed');
  void run('two/1');
  assert.is(await failed, 'failed');
  await settle();
  assert.equal(begun, ['two/1']);
});

test('a stop ends the wait', async () => {
  const { begun, run, end } = bench();
  const stop = new AbortController();
  void run('one/1');
  const stopped = run('two/1', stop.signal).catch((error) => error.message);
  await settle();
  stop.abort(new Error('shutting down'));
  assert.is(await stopped, 'shutting down');
  assert.is(await run('three/1', stop.signal).catch((error) => error.message), 'shutting down');
  await end();
  assert.equal(begun, ['one/1']);
});

test.run();

import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { FakeClock, settle } from '../../test/unit/fake-clock.ts';
import { Heap } from './heap.ts';
import { WorkQueue } from './work-queue.ts';

const START = new Date('2026-06-01T12:00:00Z');
const SECOND = 1_000;
const HOUR = 3_600_000;
const DAY = 24 * HOUR;

interface Bench {
  readonly clock: FakeClock;
  readonly queue: WorkQueue;
  readonly taken: (string | undefined)[];
}

/** One worker waits from the beginning. */
function bench(name: string, body: (bench: Bench) => Promise<void>): void {
  test(name, async () => {
    const clock = new FakeClock(START);
    const giveBack = clock.takeTimers();
    const queue = new WorkQueue(clock);
    const taken: (string | undefined)[] = [];
    try {
      await body({ clock, queue, taken });
    } finally {
      queue.close();
      giveBack();
    }
  });
}

bench('a moment beyond the longest timer of Node is not due at once', async ({ clock, queue, taken }) => {
  queue.add('a', clock.in(60 * DAY));
  void queue.take().then((key) => taken.push(key));
  await clock.advance(HOUR);
  assert.equal(taken, []);
  assert.ok(clock.delays.every((ms) => ms < 2 ** 31));
});

bench('a moment beyond the longest timer of Node comes in its time', async ({ clock, queue, taken }) => {
  queue.add('a', clock.in(60 * DAY));
  void queue.take().then((key) => taken.push(key));
  clock.jump(60 * DAY - HOUR);
  await clock.advance(HOUR - 1);
  assert.equal(taken, []);
  await clock.advance(1);
  assert.equal(taken, ['a']);
});

bench('while nothing is due the queue reads the clock every five seconds, not more often', async ({ clock, queue }) => {
  queue.add('a', clock.in(DAY));
  void queue.take();
  await clock.advance(HOUR);
  assert.ok(clock.delays.length <= HOUR / (5 * SECOND) + 1, `${clock.delays.length} timers`);
  assert.is(clock.pending, 1);
});

bench('a queue without keys sets no timer', async ({ clock, queue }) => {
  void queue.take();
  await settle();
  assert.is(clock.pending, 0);
});

bench('a clock that is set forward is noticed within five seconds', async ({ clock, queue, taken }) => {
  queue.add('a', clock.in(DAY));
  void queue.take().then((key) => taken.push(key));
  await clock.advance(SECOND);
  clock.jump(DAY);
  await clock.advance(5 * SECOND);
  assert.equal(taken, ['a']);
});

bench('a clock that is set back makes no key come early', async ({ clock, queue, taken }) => {
  queue.add('a', clock.in(HOUR));
  void queue.take().then((key) => taken.push(key));
  clock.jump(-HOUR);
  await clock.advance(HOUR + 59 * 60 * SECOND);
  // The key may be reconciled when the jump is noticed; that reconcile sets its next moment.
  assert.ok(taken.length <= 1);
});

bench('a key that is wanted now does not wait for a clock that was set back', async ({ clock, queue, taken }) => {
  queue.add('a');
  clock.jump(-HOUR);
  void queue.take().then((key) => taken.push(key));
  await clock.advance(5 * SECOND);
  assert.equal(taken, ['a']);
});

bench('a retry in some seconds does not wait for a clock that was set back', async ({ clock, queue, taken }) => {
  queue.add('other', clock.in(DAY));
  queue.add('a', clock.in(2 * SECOND));
  for (let worker = 0; worker < 2; worker++) void queue.take().then((key) => taken.push(key));
  await clock.advance(SECOND);
  clock.jump(-HOUR);
  await clock.advance(10 * SECOND);
  // The queue can't tell a retry from a moment that is still right, so the other key is reconciled too.
  assert.equal(taken.sort(), ['a', 'other']);
});

bench('a key that runs while the clock is set back is reconciled once more', async ({ clock, queue, taken }) => {
  queue.add('a');
  assert.is(await queue.take(), 'a');
  const wanted = clock.in(2 * SECOND);
  clock.jump(-HOUR);
  for (let worker = 0; worker < 2; worker++) void queue.take().then((key) => taken.push(key));
  queue.add('a', wanted);
  queue.done('a');
  await clock.advance(10 * SECOND);
  assert.equal(taken, ['a']);
});

bench('stale entries do not pile up for a key that is asked for earlier and earlier', async ({ clock, queue }) => {
  const most = mostEntries(() => {
    for (let n = 0; n < 100_000; n++) queue.add('busy', clock.in(DAY - n));
  });
  assert.ok(most < 100, `${most} entries`);
});

bench('a hundred thousand keys are added and taken in seconds', async ({ clock, queue }) => {
  const before = process.threadCpuUsage();
  for (let n = 0; n < 100_000; n++) queue.add(`key ${n}`, clock.in(-((n * 7919) % 100_000)));
  for (let n = 0; n < 100_000; n++) queue.done((await queue.take()) ?? '');
  const { user, system } = process.threadCpuUsage(before);
  assert.ok(user + system < 5_000_000, `${user + system} microseconds`);
});

/** The most entries that a heap held while `body` ran. */
function mostEntries(body: () => void): number {
  const push = Heap.prototype.push;
  let most = 0;
  Heap.prototype.push = function (item) {
    push.call(this, item);
    most = Math.max(most, this.size);
  };
  body();
  Heap.prototype.push = push;
  return most;
}

test.run();

import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { FakeClock, settle } from '../../test/unit/fake-clock.ts';
import { WorkQueue } from './work-queue.ts';

const START = new Date('2026-06-01T12:00:00Z');
const SECOND = 1_000;
const DAY = 86_400_000;

interface Bench {
  readonly clock: FakeClock;
  readonly queue: WorkQueue;
  /** Keys in the order in which they were handed out. */
  readonly taken: (string | undefined)[];
  take(): void;
}

function bench(name: string, body: (bench: Bench) => Promise<void>): void {
  test(name, async () => {
    const clock = new FakeClock(START);
    const giveBack = clock.takeTimers();
    const queue = new WorkQueue(clock);
    const taken: (string | undefined)[] = [];
    const take = () => void queue.take().then((key) => taken.push(key));
    try {
      await body({ clock, queue, taken, take });
    } finally {
      queue.close();
      giveBack();
    }
  });
}

bench('a key that is wanted now is handed out at once', async ({ queue, taken, take }) => {
  queue.add('a');
  take();
  await settle();
  assert.equal(taken, ['a']);
});

bench('a worker that waits gets a key as soon as there is one', async ({ queue, taken, take }) => {
  take();
  await settle();
  assert.equal(taken, []);
  queue.add('a');
  await settle();
  assert.equal(taken, ['a']);
});

bench('a key is handed out when its moment comes, not before', async ({ clock, queue, taken, take }) => {
  queue.add('a', clock.in(10 * SECOND));
  take();
  await clock.advance(9_999);
  assert.equal(taken, []);
  await clock.advance(1);
  assert.equal(taken, ['a']);
});

bench('keys come in the order of their moments', async ({ clock, queue, taken, take }) => {
  for (const [key, seconds] of Object.entries({ c: 3, a: 1, b: 2 })) queue.add(key, clock.in(seconds * SECOND));
  for (let n = 0; n < 3; n++) take();
  await clock.advance(5 * SECOND);
  assert.equal(taken, ['a', 'b', 'c']);
});

bench('what has waited longest comes before what was added just now', async ({ clock, queue, taken, take }) => {
  queue.add('old', clock.in(SECOND));
  await clock.advance(2 * SECOND);
  queue.add('new');
  take();
  take();
  await settle();
  assert.equal(taken, ['old', 'new']);
});

bench('a key that is asked for many times is handed out once', async ({ queue, taken, take }) => {
  for (let n = 0; n < 5; n++) queue.add('a');
  take();
  take();
  await settle();
  assert.equal(taken, ['a']);
});

bench('of two moments for one key the earlier wins, in either order', async ({ clock, queue, taken, take }) => {
  queue.add('a', clock.in(5 * SECOND));
  queue.add('a', clock.in(60 * SECOND));
  queue.add('b', clock.in(60 * SECOND));
  queue.add('b', clock.in(5 * SECOND));
  take();
  take();
  await clock.advance(5 * SECOND);
  assert.equal(taken.sort(), ['a', 'b']);
});

bench('an earlier moment wakes a worker that sleeps until a later one', async ({ clock, queue, taken, take }) => {
  queue.add('late', clock.in(4 * SECOND));
  take();
  await clock.advance(SECOND);
  queue.add('early', clock.in(SECOND));
  await clock.advance(SECOND);
  assert.equal(taken, ['early']);
});

bench('a key is held by one worker at a time', async ({ queue, taken, take }) => {
  queue.add('a');
  take();
  await settle();
  queue.add('a');
  take();
  await settle();
  assert.equal(taken, ['a']);
});

bench('a key that is asked for while it is worked on comes again', async ({ queue, taken, take }) => {
  queue.add('a');
  take();
  await settle();
  queue.add('a');
  queue.done('a');
  take();
  take();
  await settle();
  assert.equal(taken, ['a', 'a']);
});

bench('asked for twice while worked on, the earlier moment wins', async ({ clock, queue, taken, take }) => {
  queue.add('a');
  take();
  await settle();
  queue.add('a', clock.in(60 * SECOND));
  queue.add('a', clock.in(2 * SECOND));
  queue.add('a', clock.in(30 * SECOND));
  queue.done('a');
  take();
  await clock.advance(2 * SECOND);
  assert.equal(taken, ['a', 'a']);
});

bench('a key that is done and was not asked for again stays away', async ({ clock, queue, taken, take }) => {
  queue.add('a');
  take();
  await settle();
  queue.done('a');
  take();
  await clock.advance(DAY);
  assert.equal(taken, ['a']);
});

bench('the depth counts what could be worked on now', async ({ clock, queue, take }) => {
  queue.add('a');
  queue.add('b');
  queue.add('later', clock.in(SECOND));
  assert.is(queue.depth(), 2);
  take();
  await settle();
  assert.is(queue.depth(), 1);
  await clock.advance(SECOND);
  assert.is(queue.depth(), 2);
});

bench('a closed queue sends its workers home and takes nothing', async ({ clock, queue, taken, take }) => {
  queue.add('a', clock.in(SECOND));
  take();
  queue.close();
  await settle();
  assert.equal(taken, [undefined]);
  assert.is(clock.pending, 0);
  queue.add('b');
  take();
  await clock.advance(DAY);
  assert.equal(taken, [undefined, undefined]);
});

test('keys that are not accepted are dropped: when they are added, when they have to go, and when their moment comes', async () => {
  const clock = new FakeClock(START);
  const giveBack = clock.takeTimers();
  const accepted = new Set(['ours', 'lost', 'late']);
  const queue = new WorkQueue(clock, undefined, (key) => accepted.has(key));
  const taken: (string | undefined)[] = [];
  try {
    for (const key of ['foreign', 'lost']) queue.add(key);
    queue.add('late', clock.in(SECOND));
    queue.add('ours', clock.in(2 * SECOND));
    assert.is(queue.depth(), 1);
    accepted.delete('lost');
    queue.tidy();
    assert.is(queue.depth(), 0);
    accepted.delete('late');
    void queue.take().then((key) => taken.push(key));
    await clock.advance(2 * SECOND);
    assert.equal(taken, ['ours']);
    assert.equal([...queue.running()], ['ours']);
    queue.add('ours');
    accepted.delete('ours');
    queue.tidy();
    queue.done('ours');
    assert.is(queue.depth(), 0);
  } finally {
    queue.close();
    giveBack();
  }
});

test.run();

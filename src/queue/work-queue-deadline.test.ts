import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { FakeClock } from '../../test/unit/fake-clock.ts';
import { WorkQueue } from './work-queue.ts';

const START = new Date('2026-06-01T12:00:00Z');
const SECOND = 1_000;
const HOUR = 3_600_000;

/** A queue whose keys have deadlines so many seconds after the start; the others have none. */
function queueOf(clock: FakeClock, deadlines: Readonly<Record<string, number>>): WorkQueue {
  return new WorkQueue(clock, (key) => {
    const seconds = deadlines[key];
    return seconds === undefined ? undefined : START.getTime() + seconds * SECOND;
  });
}

async function takeAll(queue: WorkQueue, count: number): Promise<(string | undefined)[]> {
  const keys: (string | undefined)[] = [];
  for (let n = 0; n < count; n++) keys.push(await queue.take());
  return keys;
}

test('of the keys that are ready the earliest deadline comes first, however long another has waited', async () => {
  const clock = new FakeClock(START);
  const queue = queueOf(clock, { week: 7 * 86_400, day: 86_400, minute: 20 });
  for (const key of ['week', 'day', 'minute']) {
    queue.add(key);
    clock.jump(HOUR);
  }
  assert.equal(await takeAll(queue, 3), ['minute', 'day', 'week']);
});

test('keys with a deadline and keys without take turns', async () => {
  const clock = new FakeClock(START);
  const queue = queueOf(clock, { 'due 1': 30, 'due 2': 40, 'due 3': 50 });
  for (const key of ['due 2', 'new 1', 'due 3', 'new 2', 'due 1']) {
    queue.add(key);
    clock.jump(1);
  }
  assert.equal(await takeAll(queue, 5), ['new 1', 'due 1', 'new 2', 'due 2', 'due 3']);
});

test('an urgent key whose moment has not come is not handed out', async () => {
  const clock = new FakeClock(START);
  const queue = queueOf(clock, { urgent: -HOUR, calm: 50 });
  queue.add('urgent', clock.in(SECOND));
  queue.add('calm');
  assert.equal(await takeAll(queue, 1), ['calm']);
  queue.close();
});

test('a flood of the new leaves every second place to the due, and the other way round', async () => {
  const many = Array.from({ length: 1_000 }, (_, n) => n);
  const deadlines = Object.fromEntries(many.map((n) => [`due ${n}`, -n]));
  const queue = queueOf(new FakeClock(START), deadlines);
  for (const n of many) queue.add(`new ${n}`);
  for (const n of many.slice(0, 10)) queue.add(`due ${n}`);
  assert.is((await takeAll(queue, 20)).filter((key) => key?.startsWith('due')).length, 10);
});

test('a key that is wanted first comes before every deadline, in turn with keys that have none', async () => {
  const clock = new FakeClock(START);
  const queue = queueOf(clock, { 'due 1': -HOUR, 'due 2': 40, called: 9_000 });
  for (const key of ['new 1', 'due 1', 'new 2', 'due 2', 'called', 'other']) {
    queue.add(key);
    clock.jump(1);
  }
  queue.addFirst('called');
  queue.addFirst('other');
  assert.equal(await takeAll(queue, 6), ['new 1', 'called', 'new 2', 'other', 'due 1', 'due 2']);
});

test('a key that is wanted first while it is worked on comes first afterwards, and once', async () => {
  const clock = new FakeClock(START);
  const queue = queueOf(clock, { due: -HOUR, called: 9_000 });
  queue.add('called');
  assert.is(await queue.take(), 'called');
  queue.add('called', clock.in(HOUR));
  queue.addFirst('called');
  queue.add('called');
  queue.add('due');
  queue.done('called');
  assert.equal(await takeAll(queue, 2), ['called', 'due']);
  assert.is(queue.depth(), 0);
});

test('a key that is wanted first though it is already ready is handed out once, at its deadline the next time', async () => {
  const queue = queueOf(new FakeClock(START), { due: 1, called: 2 });
  queue.add('first');
  queue.add('called');
  assert.is(await queue.take(), 'first');
  queue.addFirst('called');
  assert.is(await queue.take(), 'called');
  assert.is(queue.depth(), 0);
  queue.done('called');
  for (const key of ['called', 'due']) queue.add(key);
  assert.equal(await takeAll(queue, 2), ['due', 'called']);
});

test('a key that is ready and is wanted even earlier is handed out once', async () => {
  const clock = new FakeClock(START);
  const queue = queueOf(clock, {});
  queue.add('first');
  queue.add('a');
  assert.is(await queue.take(), 'first');
  queue.add('a', clock.in(-SECOND));
  queue.add('b');
  assert.equal(await takeAll(queue, 2), ['a', 'b']);
  assert.is(queue.depth(), 0);
});

test.run();

import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { FakeClock } from '../../test/unit/fake-clock.ts';
import { WorkQueue } from './work-queue.ts';

const START = new Date('2026-06-01T12:00:00Z');
const SECOND = 1_000;
const HOUR = 3_600_000;

/** A queue whose keys want to have been looked at so many seconds after the start; the others as soon as possible. */
function queueOf(clock: FakeClock, urgencies: Readonly<Record<string, number>>): WorkQueue {
  return new WorkQueue(clock, (key) => {
    const seconds = urgencies[key];
    return seconds === undefined ? undefined : START.getTime() + seconds * SECOND;
  });
}

async function takeAll(queue: WorkQueue, count: number): Promise<(string | undefined)[]> {
  const keys: (string | undefined)[] = [];
  for (let n = 0; n < count; n++) keys.push(await queue.take());
  return keys;
}

test('of the keys that are ready the most urgent comes first', async () => {
  const queue = queueOf(new FakeClock(START), { week: 7 * 86_400, day: 86_400, minute: 20 });
  for (const key of ['week', 'day', 'minute']) queue.add(key);
  assert.is((await takeAll(queue, 3))[0], 'minute');
});

test('a key without an urgency is as urgent as its moment, so it comes before what can wait', async () => {
  const queue = queueOf(new FakeClock(START), { later: 30 });
  queue.add('later');
  queue.add('now');
  assert.equal(await takeAll(queue, 2), ['now', 'later']);
});

test('an urgent key whose moment has not come is not handed out', async () => {
  const clock = new FakeClock(START);
  const queue = queueOf(clock, { urgent: -HOUR, calm: 50 });
  queue.add('urgent', clock.in(SECOND));
  queue.add('calm');
  assert.equal(await takeAll(queue, 1), ['calm']);
  queue.close();
});

test('who has waited for a minute is no longer overtaken by who came since', async () => {
  const clock = new FakeClock(START);
  const queue = queueOf(clock, { patient: 86_400 });
  queue.add('patient');
  for (let n = 0; n < 70; n++) {
    clock.jump(SECOND);
    queue.add(`new ${n}`);
  }
  const order = await takeAll(queue, 71);
  assert.is(order.indexOf('patient'), 59);
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

test('a key that is ready and is forgotten does not come', async () => {
  const queue = queueOf(new FakeClock(START), { a: -HOUR });
  for (const key of ['first', 'a', 'b']) queue.add(key);
  assert.is(await queue.take(), 'a');
  queue.forget('first');
  assert.is(await queue.take(), 'b');
});

test.run();

import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { FakeClock } from '../../test/unit/fake-clock.ts';
import { WorkQueue } from './work-queue.ts';

const START = new Date('2026-06-01T12:00:00Z');
const MANY = Array.from({ length: 1_000 }, (_, n) => n);

/** A queue in which every key of the namespace `greedy` is due before all others. */
function queueOf(clock = new FakeClock(START)): WorkQueue {
  return new WorkQueue(clock, (key) => (key.startsWith('greedy/') ? 1_000 : 2_000));
}

/** Runs as many keys, each for as long as `costMs` says, and lists their lanes. */
async function run(queue: WorkQueue, count: number, costMs: (key: string) => number = () => 1): Promise<string[]> {
  const lanes: string[] = [];
  for (let n = 0; n < count; n++) {
    const key = (await queue.take()) ?? '';
    queue.done(key, costMs(key));
    lanes.push(key.slice(0, key.lastIndexOf('/')));
  }
  return lanes;
}

function countOf(lanes: readonly string[], lane: string): number {
  return lanes.filter((each) => each === lane).length;
}

test('namespaces take turns, however many keys of one are due before all others', async () => {
  const queue = queueOf();
  for (const n of MANY) queue.add(`greedy/${n}`);
  for (const n of MANY.slice(0, 10)) for (const namespace of ['one', 'two']) queue.add(`${namespace}/${n}`);
  const lanes = await run(queue, 30);
  for (const lane of ['greedy', 'one', 'two']) assert.is(countOf(lanes, lane), 10, lane);
});

test('authorities take turns by namespace, and those of the cluster are a lane of their own', async () => {
  const queue = queueOf();
  for (const n of MANY) queue.add(`CertificateAuthority/greedy/${n}`);
  for (const n of MANY.slice(0, 10))
    for (const lane of ['CertificateAuthority/one', 'ClusterCertificateAuthority']) queue.add(`${lane}/${n}`);
  const lanes = await run(queue, 30);
  assert.is(countOf(lanes, 'CertificateAuthority/one'), 10);
  assert.is(countOf(lanes, 'ClusterCertificateAuthority'), 10);
});

test('a namespace whose runs take long gets fewer turns', async () => {
  const queue = queueOf();
  for (const n of MANY) for (const namespace of ['greedy', 'cheap']) queue.add(`${namespace}/${n}`);
  const lanes = await run(queue, 320, (key) => (key.startsWith('greedy/') ? 30 : 2));
  const dear = countOf(lanes, 'greedy');
  assert.ok(dear >= 15 && dear <= 25, `${dear} of 320 runs, of which a fair share is 20`);
});

test('a namespace that always has one key ready pays for its runs all the same', async () => {
  const queue = queueOf();
  queue.add('greedy/0');
  for (const n of MANY) queue.add(`cheap/${n}`);
  let dear = 0;
  for (let n = 0; n < 320; n++) {
    const key = (await queue.take()) ?? '';
    queue.done(key, key.startsWith('greedy/') ? 30 : 2);
    if (!key.startsWith('greedy/')) continue;
    dear += 1;
    queue.add('greedy/0');
  }
  assert.ok(dear >= 15 && dear <= 25, `${dear} of 320 runs, of which a fair share is 20`);
});

test('a namespace that was away for long gets no more turns than the others when it is back', async () => {
  const queue = queueOf();
  for (const n of MANY) queue.add(`greedy/${n}`);
  queue.add('one/first');
  await run(queue, 500, () => 10);
  for (const n of MANY.slice(0, 100)) queue.add(`one/${n}`);
  const back = countOf(await run(queue, 20, () => 10), 'one');
  assert.ok(back >= 9 && back <= 11, `${back} of 20 runs, of which a fair share is 10`);
});

test('keys that are wanted first come before those of other namespaces', async () => {
  const queue = queueOf();
  for (const n of MANY) queue.add(`greedy/${n}`);
  for (const n of MANY.slice(0, 4)) queue.addFirst(`called/${n}`);
  assert.is(countOf(await run(queue, 8), 'called'), 4);
});

test('keys that are wanted first in an endless row leave the other namespaces their turns', async () => {
  const queue = queueOf();
  for (const n of MANY) queue.addFirst(`greedy/${n}`);
  for (const n of MANY) queue.add(`cheap/${n}`);
  const lanes = await run(queue, 1_000, (key) => (key.startsWith('greedy/') ? 30 : 2));
  // Its share is 62, and its head start 33.
  assert.ok(countOf(lanes, 'greedy') <= 100, `${countOf(lanes, 'greedy')} of 1000 runs`);
});

test('a run that hung for minutes bars its namespace for a second of the runs of others', async () => {
  const queue = queueOf();
  for (const n of MANY) for (const namespace of ['hung', 'cheap']) queue.add(`${namespace}/${n}`);
  let isFirst = true;
  const lanes = await run(queue, 1_000, (key) => {
    if (!key.startsWith('hung/') || !isFirst) return 2;
    isFirst = false;
    return 300_000;
  });
  assert.ok(countOf(lanes, 'hung') > 200, `${countOf(lanes, 'hung')} of 1000 runs`);
});

test.run();

import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { bench } from '../../test/unit/controller-bench.ts';
import { settle } from '../../test/unit/fake-clock.ts';
import { systemClock } from '../clock.ts';
import { Controller, type Outcome, type Run } from './controller.ts';

bench('as many runs go on at once as there are workers, and one for each key', async (one) => {
  let running = 0;
  let most = 0;
  one.answer = async () => {
    running += 1;
    most = Math.max(most, running);
    await one.clock.sleep(100);
    running -= 1;
    return { do: 'rest' };
  };
  for (const key of ['a', 'b', 'c', 'd', 'e']) one.controller.queue.add(key);
  await settle();
  assert.is(running, 2);
  await one.clock.advance(1_000);
  assert.is(most, 2);
  assert.is(one.runs.length, 5);
});

bench('a change during a run causes another run after it', async (one) => {
  one.answer = async () => {
    await one.clock.sleep(100);
    return { do: 'rest', recheckAt: one.clock.in(3_600_000) };
  };
  one.controller.queue.add('a');
  await one.clock.advance(50);
  one.controller.queue.add('a');
  await one.clock.advance(1_000);
  assert.equal(one.runs, [0, 100]);
});

bench('a second start does nothing', async (one) => {
  one.controller.start();
  one.answer = untilAborted;
  for (const key of ['a', 'b', 'c']) one.controller.queue.add(key);
  await settle();
  assert.is(one.runs.length, 2);
});

bench('stop takes no new key and waits for the runs under way', async (one) => {
  const ends: string[] = [];
  one.answer = async (key) => {
    await one.clock.sleep(1_000);
    ends.push(key);
    return { do: 'rest' };
  };
  for (const key of ['a', 'b', 'c']) one.controller.queue.add(key);
  await settle();
  const stopped = one.controller.stop(20_000).then(() => ends.push('stopped'));
  await one.clock.advance(1_000);
  await stopped;
  assert.equal(ends, ['a', 'b', 'stopped']);
  assert.is(one.clock.pending, 0);
});

bench('a run that does not end in time is aborted', async (one) => {
  one.answer = untilAborted;
  one.controller.queue.add('a');
  await settle();
  let stopped = false;
  const stopping = one.controller.stop(20_000).then(() => {
    stopped = true;
  });
  await one.clock.advance(19_999);
  assert.not(stopped);
  await one.clock.advance(1);
  await stopping;
  assert.is(one.metrics.length, 1);
});

bench('a run that releases its worker while it waits takes one back afterwards', async (one) => {
  let inside = 0;
  let most = 0;
  one.answer = async (_key, run) => {
    await run.releaseWorker(() => one.clock.sleep(1_000));
    inside += 1;
    most = Math.max(most, inside);
    await one.clock.sleep(100);
    inside -= 1;
    return { do: 'rest' };
  };
  for (const key of ['a', 'b', 'c', 'd', 'e', 'f']) one.controller.queue.add(key);
  await settle();
  assert.is(one.runs.length, 6);
  await one.clock.advance(10_000);
  assert.is(one.metrics.length, 6);
  one.answer = untilAborted;
  for (const key of ['a', 'b', 'c', 'd']) one.controller.queue.add(key);
  await settle();
  assert.is(one.runs.length, 8, 'as many workers as before');
});

for (const count of [1, 2, 3, 6, 20])
  bench(`${count} runs whose waits end in one turn leave as many workers as before`, async (one) => {
    for (const wait of [() => one.clock.sleep(1_000), () => Promise.resolve()]) {
      one.answer = async (_key, run) => {
        await run.releaseWorker(wait);
        return { do: 'rest' };
      };
      for (let n = 0; n < count; n++) one.controller.queue.add(`key-${n}`);
      await one.clock.advance(2_000);
    }
    assert.is(one.metrics.length, 2 * count);
    one.answer = untilAborted;
    for (const key of ['a', 'b', 'c', 'd']) one.controller.queue.add(key);
    await settle();
    assert.is(one.runs.length, 2 * count + 2);
  });

bench('a run that waits for several things at once, or for one within another, releases one worker', async (one) => {
  one.answer = async (_key, run) => {
    await Promise.all([run.releaseWorker(() => one.clock.sleep(500)), run.releaseWorker(() => one.clock.sleep(1_000))]);
    await run.releaseWorker(() => run.releaseWorker(() => one.clock.sleep(1_000)));
    return { do: 'rest' };
  };
  one.controller.queue.add('a');
  await one.clock.advance(3_000);
  assert.is(one.metrics.length, 1);
  one.answer = untilAborted;
  for (const key of ['b', 'c', 'd', 'e']) one.controller.queue.add(key);
  await settle();
  assert.is(one.runs.length, 3, 'two at once after the first');
});

bench('an error while the worker is released fails the run, and a worker is taken back', async (one) => {
  one.answer = (_key, run) => run.releaseWorker(() => Promise.reject(new Error('no answer')));
  one.controller.queue.add('a');
  await settle();
  assert.equal(
    one.metrics.map(([, outcome]) => outcome),
    ['error'],
  );
  one.answer = untilAborted;
  await one.clock.advance(1_000);
  for (const key of ['b', 'c']) one.controller.queue.add(key);
  await settle();
  assert.is(one.runs.length, 3, 'two at once after the first');
});

bench('stop waits for a run that has released its worker', async (one) => {
  one.answer = async (_key, run) => {
    await run.releaseWorker(() => one.clock.sleep(1_000));
    return { do: 'rest' };
  };
  one.controller.queue.add('a');
  await settle();
  const stopped = one.controller.stop(20_000);
  await one.clock.advance(1_000);
  await stopped;
  assert.is(one.metrics.length, 1);
});

bench('a namespace is charged the time of its runs, without the time that they wait outside', async (one) => {
  const { queue } = one.controller;
  const charged: (number | undefined)[] = [];
  const done = queue.done.bind(queue);
  queue.done = (key, spentMs) => {
    charged.push(spentMs);
    done(key, spentMs);
  };
  one.answer = async (_key, run) => {
    await one.clock.sleep(20);
    for (let n = 0; n < 2; n++) await run.releaseWorker(() => one.clock.sleep(1_000));
    throw new Error('no answer');
  };
  queue.add('a');
  await one.clock.advance(2_020);
  assert.equal(charged, [20]);
});

test('runs that wait for nothing leave timers and answers their turns', async () => {
  const KEYS = 400;
  const silent = () => {};
  let left = KEYS;
  let turns = 0;
  const controller = new Controller({
    name: 'things',
    workers: 8,
    clock: systemClock,
    log: { debug: silent, info: silent, warn: silent, error: silent },
    metrics: { ran: silent },
    reconcile: async () => {
      const untilMs = systemClock.monotonicMs() + 1;
      while (systemClock.monotonicMs() < untilMs);
      left -= 1;
      return { do: 'rest' };
    },
  });
  for (let key = 0; key < KEYS; key++) controller.queue.add(`key-${key}`);
  controller.start();
  for (; left > 0; turns++) await new Promise((resolve) => setTimeout(resolve, 0));
  await controller.stop(0);
  assert.ok(turns >= 10, `${turns} turns in ${KEYS} ms`);
});

function untilAborted(_key: string, { signal }: Run): Promise<Outcome> {
  return new Promise((_resolve, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason));
  });
}

test.run();

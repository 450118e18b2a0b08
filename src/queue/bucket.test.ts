import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { Bucket, Buckets } from './bucket.ts';

test('in any span no more are taken than the capacity and what was refilled, and the wait that is answered is enough', () => {
  const pauses = fc.array(fc.integer({ min: 0, max: 5_000 }), { minLength: 1, maxLength: 200 });
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 9 }),
      fc.integer({ min: 1, max: 3_000 }),
      pauses,
      (capacity, refillMs, all) => {
        const bucket = new Bucket({ capacity, refillMs });
        const taken: number[] = [];
        let nowMs = 1_000;
        for (const pause of all) {
          nowMs += pause;
          const waitMs = bucket.take(nowMs);
          if (waitMs === 0) taken.push(nowMs);
          else {
            nowMs += waitMs;
            assert.is(bucket.take(nowMs), 0, `a token is there after ${waitMs} ms`);
            taken.push(nowMs);
          }
        }
        for (const [index, from] of taken.entries())
          for (const [later, to] of taken.entries())
            if (later >= index)
              assert.ok(later - index + 1 <= capacity + (to - from) / refillMs + 1e-6, `${index} to ${later}`);
      },
    ),
    { seed: 3, numRuns: 200 },
  );
});

test('the tokens that are said to be there can be taken, and one more after the wait', () => {
  const bucket = new Bucket({ capacity: 3, refillMs: 100 });
  assert.equal([bucket.available(1_000), bucket.untilNext(1_000)], [3, 0]);
  for (let token = 0; token < 3; token++) assert.is(bucket.take(1_000), 0);
  assert.equal([bucket.available(1_050), bucket.untilNext(1_050)], [0, 50]);
  assert.equal([bucket.available(1_100), bucket.untilNext(1_100), bucket.take(1_100)], [1, 0, 0]);
});

test('each key has a bucket of its own, which is dropped once it is full again', () => {
  const buckets = new Buckets({ capacity: 2, refillMs: 1_000 });
  for (const key of ['a', 'b']) for (const wait of [0, 0, 1_000]) assert.is(buckets.take(key, 20_000), wait);
  assert.is(buckets.size, 2);
  assert.is(buckets.take('c', 40_000), 0);
  assert.is(buckets.size, 1);
});

test('replicas that share a bucket take no more together than one that has it alone, but for one token each', () => {
  const [capacity, refillMs, spanMs] = [4, 250, 60_000];
  for (const shares of [[1], [0.5, 0.5], [0.25, 0.75], [0.3, 0.3, 0.4]]) {
    const taken = shares.map((share) => {
      const bucket = new Bucket({ capacity, refillMs, share: () => share });
      let count = 0;
      for (let nowMs = 1_000; nowMs <= 1_000 + spanMs; nowMs += 10) if (bucket.take(nowMs) === 0) count++;
      return count;
    });
    const sum = taken.reduce((one, other) => one + other, 0);
    const most = capacity + spanMs / refillMs;
    assert.ok(sum <= most + shares.length, `${taken} of ${most}`);
    assert.ok(sum >= 0.95 * most, `${taken} of ${most}`);
  }
});

test('what came before a greater share counts by the smaller one', () => {
  let share = 0.5;
  const bucket = new Bucket({ capacity: 10, refillMs: 1_000, share: () => share });
  assert.is(bucket.available(100_000), 5);
  share = 1;
  assert.is(bucket.available(200_000), 5);
  assert.is(bucket.available(203_000), 8);
});

test('a bucket that grows fills at its rate, and one that shrinks keeps no more than it holds', () => {
  const bucket = new Bucket({ capacity: 2, refillMs: 100 });
  assert.is(bucket.available(1_000), 2);
  bucket.resize(10);
  assert.is(bucket.available(1_000), 2);
  assert.is(bucket.available(1_500), 7);
  assert.is(bucket.available(9_000), 10);
  bucket.resize(3);
  assert.is(bucket.available(9_000), 3);
});

test.run();

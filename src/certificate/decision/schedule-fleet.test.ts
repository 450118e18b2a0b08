/** How the jitter spreads the renewals of many certificates. */
import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { HOUR } from '../../../test/unit/builders.ts';
import { dueIn, issued, schedule, wish } from '../../../test/unit/scheduled.ts';
import { spread } from './schedule.ts';

test('the spread is even over the uids of a fleet', () => {
  const buckets = new Array<number>(20).fill(0);
  const fleet = 20_000;
  for (let index = 0; index < fleet; index++) {
    const bucket = Math.floor(spread(`5d1c0c6e-0000-4000-8000-${index.toString(16).padStart(12, '0')}`, '0a') * 20);
    buckets[bucket] = (buckets[bucket] ?? 0) + 1;
  }
  const mean = fleet / buckets.length;
  const chiSquare = buckets.reduce((sum, count) => sum + (count - mean) ** 2 / mean, 0);
  // 19 degrees of freedom: above 43.8 once in a thousand fleets. This fleet is always the same.
  assert.ok(chiSquare < 43.8, `chi-square ${chiSquare}`);
  assert.ok(Math.max(...buckets) / mean < 1.15, `peak ${Math.max(...buckets)} over ${mean}`);
});

test('of a fleet that was issued in one second, no second of the window gets far more than its part', () => {
  const fleet = 10_000;
  const perSecond = new Map<number, number>();
  for (let index = 0; index < fleet; index++) {
    const due = dueIn(schedule(issued(HOUR, index.toString(16)), wish(HOUR, undefined, `uid-${index}`)));
    perSecond.set(due, (perSecond.get(due) ?? 0) + 1);
  }
  // 20 % of 30 minutes.
  const mean = fleet / 360;
  assert.ok(perSecond.size >= 355 && perSecond.size <= 361, `${perSecond.size} seconds`);
  assert.ok(Math.max(...perSecond.values()) < mean * 2, `peak ${Math.max(...perSecond.values())} over ${mean}`);
});

test('the spread is in [0, 1)', () => {
  fc.assert(
    fc.property(fc.string(), fc.string(), (uid, salt) => {
      const value = spread(uid, salt);
      assert.ok(value >= 0 && value < 1);
      assert.is(spread(uid, salt), value);
    }),
  );
});

test.run();

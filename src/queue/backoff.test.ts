import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { backoffMs } from './backoff.ts';

const limits = { firstMs: 1_000, longestMs: 60_000 };
const MIDDLE = 0.5;

test('each attempt waits twice as long as the one before, up to the longest', () => {
  const waits = [1, 2, 3, 4, 5, 6, 7, 8, 1000].map((attempt) => backoffMs(attempt, limits, MIDDLE));
  assert.equal(waits, [1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 60_000, 60_000, 60_000]);
});

test('chance moves a wait by a fifth to both sides', () => {
  assert.is(backoffMs(1, limits, 0), 800);
  assert.ok(backoffMs(1, limits, 0.999_999) < 1_200);
  assert.is(backoffMs(9, limits, 0), 48_000);
});

test('an attempt below one counts as the first', () => {
  for (const attempt of [0, -1, -1_000_000]) assert.is(backoffMs(attempt, limits, MIDDLE), 1_000);
});

test('a wait is always a positive number within its limits', () => {
  fc.assert(
    fc.property(
      fc.integer(),
      fc.integer({ min: 1, max: 10_000 }),
      fc.integer({ min: 1, max: 3_600_000 }),
      fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
      (attempt, firstMs, longestMs, random) => {
        const wait = backoffMs(attempt, { firstMs, longestMs }, random);
        assert.ok(wait >= 0.8 * Math.min(firstMs, longestMs) - 1e-9 && wait <= 1.2 * longestMs);
      },
    ),
  );
});

test.run();

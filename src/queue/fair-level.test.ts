import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { fairLevel } from './fair-level.ts';

test('small demands are met, and large ones share the rest alike', () => {
  assert.is(fairLevel([1, 2, 100, 100], 23), 10);
  assert.is(fairLevel([100], 23), 23);
  assert.is(fairLevel([5, 5, 5], 15), Number.POSITIVE_INFINITY);
  assert.is(fairLevel([], 1), Number.POSITIVE_INFINITY);
});

test('the whole capacity is shared out and no more, for any demands', () => {
  fc.assert(
    fc.property(
      fc.array(fc.integer({ min: 0, max: 1_000 })),
      fc.integer({ min: 1, max: 5_000 }),
      (demands, capacity) => {
        const level = fairLevel(demands, capacity);
        const sum = (values: readonly number[]) => values.reduce((total, each) => total + each, 0);
        const given = sum(demands.map((each) => Math.min(each, level)));
        assert.ok(Math.abs(given - Math.min(sum(demands), capacity)) < 1e-6, `${given} of ${capacity}`);
      },
    ),
    { seed: 7 },
  );
});

test.run();

import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { SortedList } from './sorted-list.ts';

test('a sorted list equals a sorted array after any additions and removals', () => {
  fc.assert(
    fc.property(fc.array(fc.nat(3_000), { maxLength: 3_000, size: 'max' }), (numbers) => {
      const list = new SortedList<number>((one, other) => one < other);
      const model = new Set<number>();
      // A number that comes again is taken out.
      for (const each of numbers) {
        if (model.delete(each)) list.remove(each);
        else {
          model.add(each);
          list.add(each);
        }
      }
      const expected = [...model].sort((one, other) => one - other);
      assert.is(list.length, expected.length);
      assert.equal(
        expected.map((_, index) => list.at(index)),
        expected,
      );
      assert.equal(
        expected.map((each) => list.rank(each)),
        expected.map((_, index) => index),
      );
      assert.equal([list.at(expected.length), list.rank(4_000), list.rank(-1)], [undefined, expected.length, 0]);
    }),
    { numRuns: 30 },
  );
});

test.run();

import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { RankedIndex } from './ranked-index.ts';

const aStep = fc.record({
  key: fc.constantFrom('a', 'b', 'c', 'd'),
  rank: fc.constantFrom('1', '2', '3'),
  stays: fc.boolean(),
});

test('the keys under a name are in the order of their ranks, whatever is added and removed', () => {
  fc.assert(
    fc.property(fc.array(aStep, { maxLength: 40 }), (steps) => {
      const ranks = new Map<string, string>();
      const index = new RankedIndex((key) => ranks.get(key) ?? '');
      for (const { key, rank, stays } of steps) {
        const former = ranks.get(key);
        ranks.delete(key);
        if (former !== undefined) index.unfile('name', key, former);
        if (stays) {
          ranks.set(key, rank);
          index.file('name', key, rank);
        }
        const expected = [...ranks].map(([each, its]) => its + each).sort();
        assert.equal(
          index.under('name'),
          expected.map((each) => each.slice(1)),
        );
        assert.is(index.first('name'), expected[0]?.slice(1));
        assert.equal([index.has('name'), index.hasSeveral('name')], [expected.length > 0, expected.length > 1]);
      }
    }),
    { seed: 7 },
  );
});

test.run();

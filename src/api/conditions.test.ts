import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { type Condition, mergeConditions, type NewCondition, parseRfc3339, toRfc3339 } from './conditions.ts';

const NOW = new Date('2026-06-01T12:00:00Z');
const OWNED = ['Ready', 'Stalled'];

const ready: NewCondition = { type: 'Ready', status: 'True', reason: 'Issued', message: 'fine', observedGeneration: 1 };
const stalled: NewCondition = { type: 'Stalled', status: 'True', reason: 'Never', message: 'no' };
const foreign: Condition = {
  type: 'example.com/Theirs',
  status: 'Unknown',
  reason: 'R',
  message: 'm',
  lastTransitionTime: '2020-01-01T00:00:00Z',
};
const since = (condition: NewCondition, lastTransitionTime: string): Condition => ({
  ...condition,
  lastTransitionTime,
});

test('a new condition has the present moment', () => {
  assert.equal(mergeConditions([], [ready], OWNED, NOW), [since(ready, '2026-06-01T12:00:00Z')]);
});

test('a message shows what is invisible in it, and is the same when it is stored and written again', () => {
  const told = { ...ready, message: 'it is called a\x85b\u202e\ufffe\ud83d' };
  const first = mergeConditions([], [told], OWNED, NOW);
  assert.is(first[0]?.message, 'it is called a\\u{85}b\\u{202e}\\u{fffe}\\u{d83d}');
  assert.equal(mergeConditions(first, [told], OWNED, NOW), first);
  assert.equal(mergeConditions(first, first, OWNED, NOW), first);
});

test('the transition time stays while the status does, whatever else changes', () => {
  const before = since({ ...ready, reason: 'Other', message: 'other', observedGeneration: 0 }, '2026-01-01T00:00:00Z');
  assert.equal(mergeConditions([before], [ready], OWNED, NOW), [since(ready, '2026-01-01T00:00:00Z')]);
});

test('the transition time moves with the status', () => {
  for (const status of ['False', 'Unknown'] as const) {
    const before = since({ ...ready, status }, '2026-01-01T00:00:00Z');
    assert.equal(mergeConditions([before], [ready], OWNED, NOW), [since(ready, '2026-06-01T12:00:00Z')]);
  }
});

test('ours that is no longer wanted goes, and theirs stays as it is', () => {
  const before = [since(stalled, '2026-01-01T00:00:00Z'), foreign];
  assert.equal(mergeConditions(before, [ready], OWNED, NOW), [foreign, since(ready, '2026-06-01T12:00:00Z')]);
});

test('every condition stays where it stood, so that an order of others is no change', () => {
  const before = [foreign, since(stalled, '2026-01-01T00:00:00Z'), since(ready, '2026-01-01T00:00:00Z')];
  assert.equal(mergeConditions(before, [ready, stalled], OWNED, NOW), before);
});

test('a message that the API server would refuse is cut', () => {
  const [condition] = mergeConditions([], [{ ...ready, message: 'x'.repeat(40_000) }], OWNED, NOW);
  assert.is(condition?.message.length, 32_768);
});

const someCondition = fc.record(
  {
    type: fc.constantFrom('Ready', 'Stalled', 'Theirs', 'Others'),
    status: fc.constantFrom('True' as const, 'False' as const),
    reason: fc.constantFrom('A', 'B'),
    message: fc.string(),
    lastTransitionTime: fc.constant('2026-01-01T00:00:00Z'),
  },
  { noNullPrototype: true },
);
const oneOfEach = { selector: ({ type }: { type: string }) => type };

test('merging twice gives the result of merging once, and does not change its input', () => {
  fc.assert(
    fc.property(
      fc.uniqueArray(someCondition, oneOfEach),
      fc.uniqueArray(
        someCondition.filter(({ type }) => OWNED.includes(type)).map(({ lastTransitionTime: _, ...rest }) => rest),
        oneOfEach,
      ),
      (current, wanted) => {
        const before = structuredClone([current, wanted]);
        const once = mergeConditions(current, wanted, OWNED, NOW);
        assert.equal(mergeConditions(once, wanted, OWNED, new Date(NOW.getTime() + 5_000)), once);
        assert.equal([current, wanted], before);
        const theirs = (list: readonly Condition[]) => list.filter(({ type }) => !OWNED.includes(type));
        assert.equal(theirs(once), theirs(current));
        assert.is(once.length, theirs(current).length + wanted.length);
      },
    ),
  );
});

const MOMENTS: Record<string, string | undefined> = {
  '2026-06-01T12:00:00Z': '2026-06-01T12:00:00.000Z',
  '2026-06-01T12:00:00.5Z': '2026-06-01T12:00:00.500Z',
  '2026-06-01T12:00:00.123456789Z': '2026-06-01T12:00:00.123Z',
  '2026-06-01T14:00:00+02:00': '2026-06-01T12:00:00.000Z',
  '2026-06-01T06:30:00-05:30': '2026-06-01T12:00:00.000Z',
  '2026-06-01t12:00:00z': '2026-06-01T12:00:00.000Z',
  '2024-02-29T00:00:00Z': '2024-02-29T00:00:00.000Z',
  '2026-12-31T23:59:59Z': '2026-12-31T23:59:59.000Z',
  '0001-01-01T00:00:00Z': '0001-01-01T00:00:00.000Z',
  '': undefined,
  now: undefined,
  '2026': undefined,
  'March 7, 2026': undefined,
  '2026-06-01': undefined,
  '2026-06-01T12:00Z': undefined,
  '2026-06-01T12:00:00': undefined,
  '2026-06-01 12:00:00Z': undefined,
  '2026-6-1T12:00:00Z': undefined,
  '2026-06-01T12:00:00+0200': undefined,
  '2026-06-01T12:00:00.Z': undefined,
  '2026-02-29T00:00:00Z': undefined,
  '2026-02-30T00:00:00Z': undefined,
  '2026-04-31T00:00:00Z': undefined,
  '2026-13-01T00:00:00Z': undefined,
  '2026-00-01T00:00:00Z': undefined,
  '2026-06-00T00:00:00Z': undefined,
  '2026-06-01T24:00:00Z': undefined,
  '2026-06-01T12:60:00Z': undefined,
  '2026-06-01T12:00:61Z': undefined,
  '2026-06-01T12:00:00+24:00': undefined,
  ' 2026-06-01T12:00:00Z': undefined,
  '2026-06-01T12:00:00Z\n': undefined,
  '+002026-06-01T12:00:00Z': undefined,
  '1780315200': undefined,
};

for (const [text, moment] of Object.entries(MOMENTS)) {
  test(`${JSON.stringify(text)} is ${moment === undefined ? 'no moment' : moment}`, () => {
    assert.is(parseRfc3339(text)?.toISOString(), moment);
  });
}

test('nothing is no moment, and neither is what is no text', () => {
  for (const value of [undefined, null, 5, {}, []]) assert.is(parseRfc3339(value as never), undefined);
});

test('a moment is written in whole seconds, cut and not rounded', () => {
  assert.is(toRfc3339(new Date('2026-06-01T12:00:00.999Z')), '2026-06-01T12:00:00Z');
});

test('what is written is what is read', () => {
  const seconds = fc.integer({ min: Date.parse('0001-01-01') / 1000, max: Date.parse('9999-12-31') / 1000 });
  fc.assert(
    fc.property(seconds, (second) => {
      const moment = new Date(second * 1000);
      assert.equal(parseRfc3339(toRfc3339(moment)), moment);
    }),
  );
});

test.run();

import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { Board, LeaseView } from './lease-view.ts';
import { movesOf, type Self } from './moves.ts';
import { SHARD_TIMING } from './timing.ts';

const NOW_MS = 100_000;
const NONE: ReadonlyMap<number, number> = new Map();

function lease(name: string, holder: string, ageMs = 1_000): LeaseView {
  return { name, holder, resourceVersion: '7', acquiredAt: undefined, transitions: 0, seenAtMs: NOW_MS - ageMs };
}

/** A letter for each range: its holder, or a dot for none. Members are those of `members`, in slots of their own. */
function board(ranges: string, members: string, ages: Readonly<Record<string, number>> = {}): Board {
  return {
    slots: [...members].map((member) => lease(`slot-${member}`, member, ages[member])),
    ranges: [...ranges].map((holder, range) => (holder === '.' ? undefined : lease(`range-${range}`, holder))),
  };
}

function self(identity: string, more: Partial<Self> = {}): Self {
  return { identity, leaving: new Set(), pausedUntilMs: 0, isBusy: () => false, ...more };
}

test('the first replica takes everything', () => {
  const { claim, giveBack } = movesOf(board('....', 'a'), self('a'), NONE, NOW_MS, SHARD_TIMING);
  assert.equal(claim, [0, 1, 2, 3]);
  assert.is(giveBack, undefined);
});

test('free ranges are dealt out, and no two replicas try for one', () => {
  const seen = board('a.....', 'abc');
  const claims = ['a', 'b', 'c'].map((each) => movesOf(seen, self(each), NONE, NOW_MS, SHARD_TIMING).claim);
  assert.equal(claims.flat().sort(), [1, 2, 3, 4, 5]);
  assert.equal(
    claims.map(({ length }) => length),
    [1, 2, 2],
  );
});

test('the range of a replica that has no slot any more is free', () => {
  assert.equal(movesOf(board('axa', 'a'), self('a'), NONE, NOW_MS, SHARD_TIMING).claim, [1]);
});

test('a slot is cleared 15 s after its last change was seen, and its ranges are not taken before', () => {
  const seen = (ageMs: number) => movesOf(board('ab', 'ab', { b: ageMs }), self('a'), NONE, NOW_MS, SHARD_TIMING);
  assert.equal(seen(14_999).clear, []);
  assert.equal(
    seen(15_000).clear.map(({ holder }) => holder),
    ['b'],
  );
  assert.equal(seen(15_000).claim, []);
});

test('the replica with the most gives one range to one that has less than its share', () => {
  const of = (identity: string, more: Partial<Self> = {}) =>
    movesOf(board('aaaabb', 'abc'), self(identity, more), NONE, NOW_MS, SHARD_TIMING).giveBack;
  assert.is(of('a'), 3);
  assert.is(of('b'), undefined);
  assert.is(of('a', { leaving: new Set([0]) }), undefined, 'one at a time');
  assert.is(of('a', { pausedUntilMs: NOW_MS + 1 }), undefined, 'the last one came back');
});

test('where no share is short, nothing moves', () => {
  for (const identity of ['a', 'b', 'c'])
    assert.equal(movesOf(board('aabbc', 'abc'), self(identity), NONE, NOW_MS, SHARD_TIMING), {
      clear: [],
      claim: [],
      giveBack: undefined,
    });
});

test('nothing is given back while a range is free', () => {
  assert.is(movesOf(board('aaaa.', 'ab'), self('a'), NONE, NOW_MS, SHARD_TIMING).giveBack, undefined);
});

test('a range that another replica was dealt and does not take is taken after 3 s', () => {
  const claim = (sinceMs: number) =>
    movesOf(board('aa.', 'ab'), self('a'), new Map([[2, NOW_MS - sinceMs]]), NOW_MS, SHARD_TIMING).claim;
  assert.equal(claim(2_999), []);
  assert.equal(claim(3_000), [2]);
});

test.run();

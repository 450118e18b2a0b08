/** What the benches say of the machine on which they ran. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { describeMachine, type MachineFigures, reasonsNotToQuote } from '../bench/machine/figures.ts';
import { familyTicks, parseProcessorTicks, parseProcessTicks } from '../bench/machine/proc.ts';

const QUIET: MachineFigures = {
  computations: [300, 310, 305].map((ms) => ({ ms, cpuMs: ms })),
  floorRates: [180, 190, 185, 182],
  stolen: 0.001,
  others: 0.02,
};

const computations = (...all: readonly number[]) => all.map((ms) => ({ ms, cpuMs: 300 }));

test('a run on a quiet machine is worth quoting', () => {
  assert.equal(reasonsNotToQuote(QUIET), []);
  assert.match(describeMachine(QUIET), /^This run is worth quoting\.$/m);
});

const NOISY: readonly (readonly [what: string, figures: Partial<MachineFigures>, reason: RegExp])[] = [
  ['a slower middle', { computations: computations(300, 400, 305) }, /speed of the machine changed by ±16 %/],
  ['no computation at the end', { computations: computations(300, 305) }, /ran 2 times, not 3/],
  ['a floor that moves', { floorRates: [180, 190, 120, 182] }, /rate of the floor writer changed by ±19 %/],
  ['a single pair of floors', { floorRates: [180, 181] }, /ran 2 rounds, fewer than 4/],
  ['stolen time', { stolen: 0.03 }, /hypervisor took 3\.0 %/],
  ['a busy neighbour', { others: 0.4 }, /other programs took 40 %/],
  ['no /proc', { stolen: undefined, others: undefined }, /load of the machine is unknown/],
];

for (const [what, figures, reason] of NOISY)
  test(`a run is not worth quoting: ${what}`, () => {
    const reasons = reasonsNotToQuote({ ...QUIET, ...figures });
    assert.is(reasons.length, 1);
    assert.match(reasons[0] ?? '', reason);
    assert.match(describeMachine({ ...QUIET, ...figures }), /^This run is not worth quoting, since /m);
  });

test('all reasons are given, and a bench without a floor writer has no line of it', () => {
  const noisy = describeMachine({ ...QUIET, floorRates: [], stolen: 0.02, others: 0.3 });
  assert.match(noisy, /since the hypervisor took 2\.0 % .*, and other programs took 30 %/);
  assert.not.match(noisy, /floor writer/);
});

test('stolen time is the eighth field of /proc/stat, and time of guests counts once', () => {
  const stat = 'cpu  100 20 30 400 5 6 7 8 50 2\ncpu0 1 1 1 1 1 1 1 1 1 1\n';
  assert.equal(parseProcessorTicks(stat), { all: 576, worked: 150, stolen: 8 });
});

test('the ticks of a process are found behind a name with spaces and parentheses', () => {
  const stat = '42 (a (b) c) S 7 42 42 0 -1 4194560 100 0 0 0 11 5 3 2 20 0 1 0 12345 0 0';
  assert.equal(parseProcessTicks(stat), { parent: 7, own: 16, family: 21 });
});

test('the family of a process is all of its descendants, and nobody else', () => {
  const each = (parent: number, family: number) => ({ parent, own: 0, family });
  const processes = new Map([
    [1, each(0, 1_000)],
    [10, each(1, 1)],
    [11, each(10, 10)],
    [12, each(11, 100)],
    [20, each(1, 5_000)],
  ]);
  assert.is(familyTicks(10, processes), 111);
});

test.run();

/** CA generations of a machine that decides by itself which of its CAs signs. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { hoursFromNow, NOW } from '../../test/pki/make.ts';
import { aGeneration } from '../../test/unit/a-generation.ts';
import { gone, member, one, PROPAGATION_MS, plan, step, two } from '../../test/unit/planned-rotation.ts';
import { type CaPair, caPath } from '../pki/ca.ts';
import type { Generation } from './generation.ts';

const anchor = ({ anchor: top }: CaPair) => caPath([top]);
const [first, second] = [anchor(one), anchor(two)];
const at = (version: number, state: Generation['state'], path: typeof first, change: Partial<Generation> = {}) =>
  aGeneration(version, state, path, { source: 'stepCA', since: hoursFromNow(version - 10), ...change });
const stating = (...stated: (typeof first)[]) => ({ source: 'stepCA', stated });
/** What a CA below that anchor has signed. */
const below = (key: string, pair: CaPair, bundle = 'bundle') => ({
  ...member(key, pair, bundle),
  issuerFingerprint: 'an intermediate',
  issuerKeyId: 'its key',
});

test('the first one may be used at once, and each further one after the gates', () => {
  assert.is(step([], first, [], stating(first, second)), 'create Active');
  const active = at(1, 'Active', first);
  assert.is(step([active], second, [], stating(first, second)), 'create Pending');
  const pending = [active, at(2, 'Pending', second)];
  assert.is(step(pending, undefined, [], stating(first, second)), '2 -> Prepared');
});

test('one that is prepared waits for each ca.crt, and for the time to load it', () => {
  const prepared = [at(1, 'Active', first), at(2, 'Prepared', second)];
  const stated = stating(first, second);
  assert.is(step(prepared, undefined, [below('ns/a', one, 'old')], stated), 'settle');
  assert.is(step(prepared, undefined, [below('ns/a', one)], stated), 'note 2');
  const clearSince = new Map([['move 2', new Date(NOW.getTime() - PROPAGATION_MS)]]);
  assert.is(step(prepared, undefined, [below('ns/a', one)], { ...stated, clearSince }), '2 -> Trusted');
  const manual = { ...stated, clearSince, terms: { isManual: true } };
  assert.is(
    step([at(1, 'Active', first), at(2, 'Trusted', second)], undefined, [below('ns/a', one)], manual),
    'settle',
  );
});

test('several that are stated stay Active beside each other, for ever', () => {
  const both = [at(1, 'Active', first), at(2, 'Active', second)];
  assert.is(step(both, undefined, [below('ns/a', one), below('ns/b', two)], stating(first, second)), 'settle');
});

test('one that is stated no more leaves with its last certificate, and not while no other one is Active', () => {
  const waiting = [at(1, 'Active', first), at(2, 'Prepared', second)];
  assert.is(step(waiting, undefined, [below('ns/a', one, 'old')], stating(second)), 'settle');
  const both = [at(1, 'Active', first), at(2, 'Active', second)];
  assert.is(step(both, undefined, [below('ns/a', one)], stating(second)), '1 -> Retiring');
  const leaving = [at(1, 'Retiring', first), at(2, 'Active', second)];
  assert.is(step(leaving, undefined, [below('ns/a', one)], stating(second)), 'settle');
  const clearSince = new Map([['retire 1', hoursFromNow(-1)]]);
  assert.is(step(leaving, undefined, [below('ns/a', two)], { ...stating(second), clearSince }), 'retire 1');
});

for (const [what, stated] of [
  ['beside the former one', stating(first, second)],
  ['in place of the former one', stating(second)],
] as const) {
  const members = [below('ns/a', one)];
  const prepared = [at(1, 'Active', first), at(2, 'Prepared', second)];
  const clearSince = new Map([['move 2', new Date(NOW.getTime() - PROPAGATION_MS)]]);

  test(`one that is stated ${what} waits for verifiers and for the end of a pause`, () => {
    const proofs = [{ subject: 'gateway', since: undefined, waiting: 'not reloaded' }];
    const waiting = plan(prepared, undefined, members, { ...stated, proofs, clearSince });
    assert.is(waiting.hold?.reason, 'TrustNotProven');
    assert.equal(waiting.leftBehind, []);
    assert.is(waiting.step.do, 'note');
    const pending = [at(1, 'Active', first), at(2, 'Pending', second)];
    const paused = plan(pending, undefined, members, { ...stated, terms: { isPaused: true } });
    assert.is(paused.hold?.reason, 'Paused');
    assert.is(paused.step.do, 'settle');
  });

  test(`one that is stated ${what} waits for verifiers until the former one is about to end`, () => {
    const ending = caPath([gone.anchor]);
    const short = [at(1, 'Active', ending), at(2, 'Prepared', second)];
    const proofs = [{ subject: 'gateway', since: undefined, waiting: 'not reloaded' }];
    const near = { ...stating(second), proofs, clearSince, now: hoursFromNow(0.95) };
    const overruled = plan(short, undefined, [], near);
    assert.equal(overruled.leftBehind, ['gateway']);
    assert.is(overruled.step.do, 'move');
  });
}

test('a certificate that leads to one that stays too does not hold it', () => {
  const leaving = [at(1, 'Retiring', first), at(2, 'Active', second)];
  const both = {
    ...below('ns/a', one),
    anchorFingerprints: [first, second].map((each) => each.anchor.fingerprintSHA256),
  };
  const clearSince = new Map([['retire 1', hoursFromNow(-1)]]);
  assert.is(step(leaving, undefined, [both], { ...stating(second), clearSince }), 'retire 1');
});

test('one that is stated again was trusted all the time', () => {
  const leaving = [at(1, 'Retiring', first), at(2, 'Active', second)];
  assert.is(step(leaving, undefined, [below('ns/a', one)], stating(first, second)), '1 -> Active');
});

test('one that is gone before it was Active leaves at once', () => {
  const all = [at(1, 'Active', first), at(2, 'Prepared', second)];
  assert.is(step(all, undefined, [below('ns/a', one, 'old')], stating(first)), 'retire 2');
});

test('one that is gone before it was Active stays while a certificate is held that was published early', () => {
  const early = [below('ns/a', one), below('ns/new', two)];
  for (const state of ['Pending', 'Prepared', 'Trusted'] as const) {
    const all = [at(1, 'Active', first), at(2, state, second)];
    for (const terms of [{}, { isPaused: true }, { isManual: true }]) {
      const held = plan(all, undefined, early, { ...stating(first), terms });
      if (state === 'Pending') assert.is(held.step.do, 'move', 'it comes into every ca.crt');
      else assert.is(held.step.do, 'settle');
    }
    const waiting = plan(all, undefined, early, stating(first));
    if (state !== 'Pending')
      assert.equal([waiting.hold?.reason, waiting.waitingFor], ['CertificatesInUse', ['ns/new']]);
    assert.is(step(all, undefined, [below('ns/a', one), below('ns/new', one)], stating(first)), 'retire 2');
  }
});

test('while it is not known what is stated, nothing of it changes, and that of a former backend leaves', () => {
  const unknown = { source: 'stepCA', stated: undefined };
  assert.is(step([at(1, 'Active', first), at(2, 'Prepared', second)], undefined, [], unknown), 'settle');
  const former = { ...at(1, 'Active', first), source: 'secret' };
  assert.is(step([former], undefined, [], unknown), '1 -> Retiring');
});

test.run();

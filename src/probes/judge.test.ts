import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { Answer, Outcome } from './answer.ts';
import { judge, worst } from './judge.ts';

const NAME = Buffer.from('3000', 'hex');
const OTHER = Buffer.from('3100', 'hex');

function answer(outcome: Outcome, demand: Answer['demand'] = { asksFor: 'certificate', caNames: [] }): Answer {
  return { outcome, seen: 'seen', seconds: 0.01, demand, serverNotAfter: undefined };
}

const listing = (...caNames: Buffer[]) => answer('Accepted', { asksFor: 'certificate', caNames });
const judged = (leaf: Answer | undefined, rogue: Answer | undefined, acceptsAnother = false) =>
  judge({ leaf, rogue, issuerNames: [NAME], acceptsAnother });

const CASES: readonly [leaf: Outcome, rogue: Outcome, verdict: string][] = [
  ['Accepted', 'Rejected', 'Trusts'],
  ['Accepted', 'Closed', 'Trusts'],
  ['Accepted', 'Unknown', 'Unknown'],
  ['Accepted', 'Accepted', 'AcceptsRogue'],
  ['Rejected', 'Rejected', 'DoesNotTrust'],
  ['Rejected', 'Accepted', 'AcceptsRogue'],
  ['Rejected', 'Unknown', 'DoesNotTrust'],
  ['Closed', 'Closed', 'Unknown'],
  ['Unknown', 'Rejected', 'Unknown'],
  ['Unknown', 'Unknown', 'Unknown'],
];

for (const [leaf, rogue, verdict] of CASES) {
  test(`a leaf ${leaf} and a rogue ${rogue} mean ${verdict}`, () => {
    const found = judged(answer(leaf), answer(rogue));
    assert.is(found.verdict, verdict);
    assert.is(found.because === undefined, verdict === 'Trusts');
  });
}

test('a connection that is closed without a word is a refusal where another generation was accepted', () => {
  assert.is(judged(answer('Closed'), answer('Closed'), true).verdict, 'DoesNotTrust');
  assert.is(judged(answer('Unknown'), answer('Closed'), true).verdict, 'Unknown');
});

test('a list of CA names without the CA is no trust, whatever the handshake says; an empty list asks for any', () => {
  const stale = judged(listing(OTHER), answer('Rejected'));
  assert.is(stale.verdict, 'DoesNotTrust');
  assert.match(stale.because ?? '', 'its list of CA names lacks this CA');
  assert.is(judged(listing(OTHER, NAME), answer('Rejected')).verdict, 'Trusts');
  assert.is(judged(listing(), answer('Rejected')).verdict, 'Trusts');
  const unread = { ...answer('Accepted'), demand: undefined };
  assert.is(judged(unread, answer('Rejected')).verdict, 'Trusts');
});

test('a generation that has no leaf, and a rogue that was not shown, are unknown', () => {
  assert.is(judged(undefined, answer('Rejected')).verdict, 'Unknown');
  assert.is(judged(answer('Accepted'), undefined).verdict, 'Unknown');
});

test('one that asks for no certificate is told to require one', () => {
  const nothing = answer('Accepted', { asksFor: 'nothing' });
  assert.match(judged(nothing, nothing).because ?? '', 'asks for no client certificate');
});

test('the verdict on a verifier is the worst of its endpoints, and unknown without any', () => {
  assert.is(worst(['Trusts', 'Trusts']), 'Trusts');
  assert.is(worst(['Trusts', 'Unknown', 'DoesNotTrust']), 'DoesNotTrust');
  assert.is(worst(['DoesNotTrust', 'AcceptsRogue']), 'AcceptsRogue');
  assert.is(worst([]), 'Unknown');
});

test.run();

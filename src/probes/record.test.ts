import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { acceptsRogue } from '../authority/accepts-rogue.ts';
import type { Verdict } from './judge.ts';
import { nextRecord, provesSame, type Round, type VerifierRecord } from './record.ts';
import { proofOf as demandedOf, verifierStatus } from './report.ts';

const ONE = { version: 1, fingerprint: 'f1', anchor: 'a1', name: 'CN=One' };
const TWO = { version: 2, fingerprint: 'f2', anchor: 'a2', name: 'CN=Two' };
const at = (minute: number) => new Date(Date.UTC(2026, 5, 1, 12, minute));

/** A round of endpoints e0, e1 and so on; each with a verdict for each generation. */
function round(...endpoints: readonly (readonly Verdict[])[]): Round {
  return {
    results: endpoints.map((verdicts, index) => ({
      endpoint: `e${index}`,
      judgements: new Map(
        verdicts.map((verdict, version) => [
          version + 1,
          { verdict, because: verdict === 'Trusts' ? undefined : `has ${verdict} since ${++sentences}` },
        ]),
      ),
      serverNotAfter: at(30 + index),
    })),
  };
}

function after(rounds: readonly Round[], subjects = [ONE, TWO], specs: readonly number[] = []): VerifierRecord {
  let record: VerifierRecord | undefined;
  for (const [index, each] of rounds.entries())
    record = nextRecord(record, each, subjects, specs[index] ?? 1, at(index));
  if (record === undefined) throw new Error('no round');
  return record;
}

let sentences = 0;

function proofOf(...about: Parameters<typeof demandedOf>) {
  const proof = demandedOf(...about);
  if (proof === undefined) throw new Error('no proof is demanded');
  return proof;
}

const GOOD = round(['Trusts', 'Trusts']);

test('a proof counts from the first round of an unbroken row in which every endpoint trusted', () => {
  const record = after([round(['Trusts', 'DoesNotTrust']), GOOD, GOOD, GOOD]);
  assert.equal(proofOf('v', record, 'a1', 1).since, at(0));
  assert.equal(proofOf('v', record, 'a2', 1), { subject: 'verifier v', since: at(1), waiting: undefined });
});

test('a proof of a clock that was ahead counts from now, which the gates learn', () => {
  const before = nextRecord(undefined, GOOD, [ONE, TWO], 1, at(50));
  const record = nextRecord(before, GOOD, [ONE, TWO], 1, at(10));
  assert.equal(proofOf('v', record, 'a2', 1).since, at(10));
  assert.is(provesSame(before, record), false);
  assert.is(provesSame(record, nextRecord(record, GOOD, [ONE, TWO], 1, at(11))), true);
});

for (const verdict of ['Unknown', 'DoesNotTrust', 'AcceptsRogue'] as const) {
  test(`${verdict} at one of several endpoints ends a proof, which then begins anew`, () => {
    const broken = after([GOOD, round(['Trusts', 'Trusts'], ['Trusts', verdict])]);
    const { since, waiting } = proofOf('v', broken, 'a2', 1);
    assert.is(since, undefined);
    assert.match(waiting ?? '', `CA generation 2 (CN=Two): e1 has ${verdict}`);
    const record = nextRecord(broken, GOOD, [ONE, TWO], 1, at(9));
    assert.equal(proofOf('v', record, 'a2', 1).since, at(9));
  });
}

test('a round that could not be made ends a proof', () => {
  const record = after([GOOD, { problem: 'Service ns/x has no ready endpoint' }]);
  assert.equal(proofOf('v', record, 'a1', 1).waiting, 'Service ns/x has no ready endpoint');
  assert.is(record.generations[0]?.verdict, 'Unknown');
});

test('a proof under another spec, or of a CA that was not asked about, is none', () => {
  const record = after([GOOD, GOOD], [ONE, TWO], [1, 2]);
  assert.equal(proofOf('v', record, 'a1', 2).since, at(1));
  assert.is(proofOf('v', record, 'a1', 3).since, undefined);
  assert.match(proofOf('v', record, 'other', 2).waiting ?? '', 'not asked about this CA yet');
  assert.match(proofOf('v', undefined, 'a1', 1).waiting ?? '', 'not asked');
});

test('only what no round was made of since the start is unseen', () => {
  assert.is(proofOf('v', undefined, 'a1', 1).isUnseen, true);
  for (const record of [after([GOOD]), after([{ problem: 'no ready endpoint' }])])
    assert.is(proofOf('v', record, 'a1', 3).isUnseen, undefined);
});

test('two generations below one anchor must both be trusted', () => {
  const below = { ...TWO, anchor: 'a1' };
  assert.is(proofOf('v', after([round(['Trusts', 'DoesNotTrust'])], [ONE, below]), 'a1', 1).since, undefined);
  assert.equal(proofOf('v', after([GOOD], [ONE, below]), 'a1', 1).since, at(0));
});

test('equal verdicts leave status as it is, though each answer reads otherwise', () => {
  const bad = () => round(['Trusts', 'DoesNotTrust'], ['Trusts', 'Trusts']);
  assert.equal(verifierStatus('v', after([bad(), bad(), bad()])).lastChange, '2026-06-01T12:00:00Z');
  const [first, second] = [after([bad()]), nextRecord(after([bad()]), bad(), [ONE, TWO], 1, at(1))];
  assert.is(second.lastChange.getTime(), first.lastChange.getTime());
  const record = nextRecord(first, bad(), [ONE, TWO], 1, at(5));
  assert.is(record.message, first.message);
});

test('another endpoint that fails is named, and a silent row is counted', () => {
  const record = after([
    round(['Trusts', 'Unknown'], ['Trusts', 'Trusts']),
    round(['Trusts', 'Trusts'], ['Trusts', 'Unknown']),
  ]);
  assert.match(record.message ?? '', 'e1 has Unknown');
  assert.is(record.silentRounds, 2);
  assert.is(nextRecord(record, GOOD, [ONE, TWO], 1, at(3)).silentRounds, 0);
});

test('after a restart status keeps what is stored until an answer differs, and no proof is made of that', () => {
  const stored = { ...verifierStatus('v', after([GOOD])), lastChange: '2026-01-01T00:00:00Z' };
  assert.equal(verifierStatus('v', undefined, stored), stored);
  assert.is(proofOf('v', undefined, 'a1', 1).since, undefined);
  assert.equal(verifierStatus('v', after([GOOD]), stored), stored);
  const other = verifierStatus('v', after([round(['Trusts', 'Unknown'])]), stored);
  assert.is(other.lastChange, '2026-06-01T12:00:00Z');
});

test('the condition names each verifier that accepts rogues, and is gone with the last', () => {
  const bad = verifierStatus('lax', after([round(['AcceptsRogue', 'AcceptsRogue'])]));
  assert.match(acceptsRogue([bad])[0]?.message ?? '', 'verifier lax: CA generation 1');
  assert.equal(acceptsRogue([verifierStatus('good', after([GOOD]))]), []);
});

test('an authority without CA keys is not asked about, which its status says', () => {
  const record = after([{ results: [] }], []);
  assert.match(verifierStatus('v', record).message ?? '', 'Certwheel holds no CA key');
});

test('where no certificate can be had to be shown, no proof is demanded of a verifier, and status says what to do', () => {
  const unshown = { ...TWO, withoutLeaf: 'the role denies the name' };
  const record = after([round(['Trusts'])], [ONE, unshown]);
  assert.is(demandedOf('v', record, 'a2', 1), undefined);
  assert.equal(proofOf('v', record, 'a1', 1).since, at(0));
  const { message = '', generations } = verifierStatus('v', record);
  assert.is(
    message,
    'CA generation 2 (CN=Two): no certificate can be shown, so that the proof is that its trust targets are delivered: the role denies the name',
  );
  assert.equal(generations, [{ version: 1, verdict: 'Trusts' }]);
  const shown = nextRecord(record, GOOD, [ONE, TWO], 1, at(4));
  assert.equal(proofOf('v', shown, 'a2', 1).since, at(4));
});

test.run();

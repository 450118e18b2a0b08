import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { after, HOUR, NOW } from '../../test/unit/builders.ts';
import { nextLedger, readLedger } from '../certificate/secret/ledger.ts';
import { LEDGER_SECRET, MOST_LEDGERS_BYTES, mergeLedgers, readLedgerSecret } from './ledger-secret.ts';

const ISSUER = 'ab'.repeat(32);
/** A ledger of so many certificates, valid for some hours. */
const ledger = (count: number, hours = 24, from = 0) =>
  nextLedger(
    '',
    Array.from({ length: count }, (_, index) => ({
      serialNumber: (from + index).toString(16).padStart(40, '0'),
      notAfter: after(hours * HOUR),
      issuerFingerprint: ISSUER,
    })),
    after(-1_000 * HOUR),
  );

test('certificates are added to the ledger of their namespace, once', () => {
  const former = new Map([['a', ledger(2)]]);
  const added = new Map([
    ['a', ledger(3)],
    ['b', ledger(1)],
  ]);
  const merged = mergeLedgers(former, added, NOW);
  assert.equal(
    [...merged].map(([namespace, text]) => [namespace, readLedger(text).entries.length]),
    [
      ['a', 3],
      ['b', 1],
    ],
  );
  assert.equal(mergeLedgers(merged, added, NOW), merged);
});

test('a namespace whose certificates have all expired has no ledger', () => {
  assert.equal(mergeLedgers(new Map([['a', ledger(2, -1)]]), new Map([['b', ledger(1, -1)]]), NOW), new Map());
});

test('a full Secret takes no further namespace, and those that have a ledger keep their certificates', () => {
  let full: ReadonlyMap<string, string> = new Map();
  for (let index = 0; index < 40; index++) full = mergeLedgers(full, new Map([[`ns-${index}`, ledger(290)]]), NOW);
  const further = mergeLedgers(full, new Map([['aaa', ledger(290, 24, 1_000)]]), NOW);
  for (const [namespace, text] of full) assert.is(further.get(namespace), text, namespace);
  assert.ok(full.size < 40 && full.size > 20, String(full.size));
});

test('whatever is added, the ledgers stay within their bytes', () => {
  const ledgers = fc.dictionary(fc.stringMatching(/^[a-z]{1,2}$/), fc.tuple(fc.nat(300), fc.nat(5_000)));
  fc.assert(
    fc.property(fc.array(ledgers, { maxLength: 8 }), (all) => {
      let merged: ReadonlyMap<string, string> = new Map();
      for (const each of all) {
        const added = Object.entries(each).map(([key, [count, from]]) => [key, ledger(count, 24, from)] as const);
        merged = mergeLedgers(merged, new Map(added), NOW);
      }
      const bytes = [...merged.values()].reduce((sum, { length }) => sum + length, 0);
      assert.ok(bytes <= MOST_LEDGERS_BYTES, String(bytes));
    }),
    { numRuns: 30 },
  );
});

test('what is written is read the same', () => {
  const ledgers = new Map([
    ['a', ledger(2)],
    ['b-c', ledger(1)],
  ]);
  const authority = { kind: 'ClusterCertificateAuthority', name: 'ca' } as const;
  assert.equal(readLedgerSecret(LEDGER_SECRET.manifest(authority, 'home', ledgers, undefined)), ledgers);
});

test('authorities of the two kinds never share a Secret', () => {
  assert.is(LEDGER_SECRET.nameOf({ kind: 'CertificateAuthority', name: 'x' }), 'x-ca-ledger');
  assert.is(LEDGER_SECRET.nameOf({ kind: 'ClusterCertificateAuthority', name: 'x' }), 'x-clusterca-ledger');
});

test.run();

import { randomBytes } from 'node:crypto';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { after, DAY, HOUR, NOW } from '../../test/unit/builders.ts';
import { type LedgerEntry, nextLedger, readLedger } from '../certificate/secret/ledger.ts';
import { type Seal, sealWith } from '../certificate/secret/seal.ts';
import { UnwrittenLedger } from './unwritten-ledger.ts';

const BOOKS = randomBytes(32);
const books = sealWith(() => BOOKS);
const ISSUER = 'ab'.repeat(32);
const entries = (count: number): LedgerEntry[] =>
  Array.from({ length: count }, (_, index) => ({
    serialNumber: (0x100000 + index).toString(16),
    notAfter: after(DAY + index * 1_000),
    issuerFingerprint: ISSUER,
    sealedFor: 'CertificateAuthority/ca',
  }));

/** Counts the seals that it makes. */
function counted() {
  const seal: Seal & { made: number } = {
    made: 0,
    get isKnown() {
      return books.isKnown;
    },
    sign(context, text) {
      seal.made++;
      return books.sign(context, text);
    },
    verifies: books.verifies.bind(books),
  };
  return seal;
}

test('one after the other they become the text that they are together, the newest first', () => {
  const all = entries(700);
  const sealing = { seal: books, namespace: 'team' };
  const unwritten = new UnwrittenLedger(sealing);
  for (const each of all) unwritten.add([each], NOW);
  assert.is(unwritten.textAt(NOW), nextLedger('', all.toReversed(), NOW, sealing));
  assert.is(unwritten.textAt(NOW), unwritten.textAt(NOW));
});

test('thousands of Secrets that are deleted are sealed some hundred at a time', () => {
  const seal = counted();
  const unwritten = new UnwrittenLedger({ seal, namespace: 'team' });
  for (const each of entries(5_000)) unwritten.add([each], NOW);
  const { droppedUntil } = readLedger(unwritten.textAt(NOW));
  assert.ok(seal.made <= 11, `${seal.made} seals`);
  assert.ok(
    droppedUntil !== undefined && droppedUntil > after(DAY),
    'the text says until when the dropped ones are valid',
  );
});

test('what has expired meanwhile is in the text no more once others are added', () => {
  const unwritten = new UnwrittenLedger(undefined);
  unwritten.add([{ serialNumber: '0a', notAfter: after(HOUR) }], NOW);
  unwritten.add([{ serialNumber: '0b', notAfter: after(DAY) }], after(2 * HOUR));
  assert.equal(
    readLedger(unwritten.textAt(after(2 * HOUR))).entries.map(({ serialNumber }) => serialNumber),
    ['0b'],
  );
});

test.run();

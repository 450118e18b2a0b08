import { randomBytes } from 'node:crypto';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { after, DAY, NOW, SECOND } from '../../../test/unit/builders.ts';
import { mergeLedgers } from '../../authority/ledger-secret.ts';
import { type LedgerEntry, MOST_LEDGER_BYTES, missingFrom, nextLedger, readLedger, sealedEntries } from './ledger.ts';
import { sealWith } from './seal.ts';

const ISSUER = 'ab'.repeat(32);
const OTHER = 'cd'.repeat(32);
const INTERNAL = 'CertificateAuthority/internal';
const SHARED = 'ClusterCertificateAuthority/shared';
const KEY = randomBytes(32);
const seal = sealWith(() => KEY);
const WITHOUT_KEY = sealWith(() => undefined);
const shop = { seal, namespace: 'shop' };

const fresh = (serialNumber: string, sealedFor = INTERNAL, more: Partial<LedgerEntry> = {}): LedgerEntry => ({
  serialNumber,
  notAfter: after(DAY),
  issuerFingerprint: ISSUER,
  issuedAt: NOW,
  sealedFor,
  ...more,
});
const sealed = (text: string, authority = INTERNAL, namespace = 'shop') =>
  sealedEntries(text, { authority, namespace }, seal).map(({ serialNumber }) => serialNumber);
const listed = (text: string) => readLedger(text).entries.map(({ serialNumber }) => serialNumber);

const TWO = nextLedger(nextLedger('', [fresh('0a')], NOW, shop), [fresh('0b')], NOW, shop);

test('what is issued is sealed for its authority in its namespace, and for no other', () => {
  assert.equal(sealed(TWO), ['0b', '0a']);
  assert.equal(sealed(TWO, SHARED), []);
  assert.equal(sealed(TWO, INTERNAL, 'mine'), []);
  assert.equal(
    sealedEntries(
      TWO,
      { authority: INTERNAL, namespace: 'shop' },
      sealWith(() => randomBytes(32)),
    ),
    [],
  );
});

test('the text of a sealed ledger: entries as before, their lives, the seal, and what has none', () => {
  const text = nextLedger(`${TWO},0c=2026-06-02T12:00:00Z`, [], NOW, shop);
  assert.match(
    text,
    new RegExp(
      `^@${ISSUER},0b=2026-06-02T12:00:00Z,0a=2026-06-02T12:00:00Z,issued=1uo0\\.1uo0,seal=[\\w-]{22}=${INTERNAL},0c=2026-06-02T12:00:00Z$`,
    ),
  );
  assert.is(nextLedger(text, [], NOW, shop), text);
});

test('a former version reads all entries of a sealed ledger, with their issuers', () => {
  const text = nextLedger(`@${OTHER},0c=2026-06-02T12:00:00Z=order/7`, [fresh('0b'), fresh('0a')], NOW, shop);
  const known = readLedger(text).entries.map(({ serialNumber, notAfter, externalId, issuerFingerprint }) =>
    JSON.stringify([serialNumber, notAfter, externalId, issuerFingerprint]),
  );
  assert.equal(readAsFormerly(text), known);
});

/** As versions without seals read a ledger. */
function readAsFormerly(text: string): string[] {
  const entries: string[] = [];
  let issuer: string | undefined;
  for (const part of text.split(',')) {
    const [head = '', end = '', externalId, ...rest] = part.split('=');
    const isEntry = rest.length === 0 && /^([0-9a-f]{2})+$/.test(head) && !Number.isNaN(Date.parse(end));
    if (isEntry) entries.push(JSON.stringify([head, new Date(end), externalId, issuer]));
    else issuer = /^@([0-9a-f]{64})$/.exec(part)?.[1];
  }
  return entries;
}

test('the moment of issue is kept in whole seconds, and never becomes a later one', () => {
  const issuedAt = after(1_500);
  const text = nextLedger('', [fresh('0a', INTERNAL, { issuedAt })], NOW, shop);
  const [entry] = readLedger(text).entries;
  assert.equal(entry?.issuedAt, after(SECOND));
  assert.equal(readLedger(nextLedger(text, [fresh('0b')], NOW, shop)).entries[1]?.issuedAt, after(SECOND));
});

test('an entry of a former version stays without a seal, and becomes sealed where it is proven', () => {
  const text = nextLedger('0a=2026-06-02T12:00:00Z', [fresh('0b')], NOW, shop);
  assert.equal([listed(text), sealed(text)], [['0b', '0a'], ['0b']]);
  const proven = nextLedger(text, [fresh('0a')], NOW, shop);
  assert.equal(sealed(proven), ['0a', '0b']);
});

test('what is proven takes nothing over from an entry without a seal, and stays unsealed where that has an id of the authority', () => {
  const forged = `@${OTHER},0a=2026-06-02T12:00:00Z,issued=1`;
  const text = nextLedger(forged, [fresh('0a', INTERNAL, { issuedAt: undefined })], NOW, shop);
  const [entry] = sealedEntries(text, { authority: INTERNAL, namespace: 'shop' }, seal);
  assert.equal([entry?.issuerFingerprint, entry?.issuedAt], [ISSUER, undefined]);
  assert.equal(sealed(nextLedger('0a=2026-06-02T12:00:00Z=order/of/another', [fresh('0a')], NOW, shop)), []);
  const own = nextLedger('', [fresh('0a', INTERNAL, { externalId: 'order/7' })], NOW, shop);
  const again = nextLedger(`${own},0a=2026-06-02T12:00:00Z=order/of/another`, [fresh('0a')], NOW, shop);
  assert.equal(
    sealedEntries(again, { authority: INTERNAL, namespace: 'shop' }, seal).map(({ externalId }) => externalId),
    ['order/7'],
  );
});

test('an authority that lets a tenant choose serial numbers adds nothing to what another one has issued', () => {
  const victim = { externalId: 'order/of/another', issuerFingerprint: OTHER };
  const chosen = nextLedger('', [fresh('0a', INTERNAL, victim)], NOW, shop);
  const good = nextLedger('', [fresh('0a', SHARED)], NOW, shop);
  for (const text of [`${good},${chosen}`, `${chosen},${good}`]) {
    const next = nextLedger(text, [fresh('0a', SHARED)], NOW, shop);
    const [entry, ...more] = sealedEntries(next, { authority: SHARED, namespace: 'shop' }, seal);
    assert.equal([entry?.externalId, entry?.issuerFingerprint, more], [undefined, ISSUER, []]);
  }
});

test('the certificates of a former authority stay sealed for that one', () => {
  const text = nextLedger(TWO, [fresh('0c', SHARED)], NOW, shop);
  assert.equal([sealed(text, SHARED), sealed(text)], [['0c'], ['0b', '0a']]);
});

test('without a key nothing new is sealed, and what is sealed is sealed again when the key is back', () => {
  const away = { seal: WITHOUT_KEY, namespace: 'shop' };
  const text = nextLedger(`${TWO},0c=2026-06-02T12:00:00Z`, [fresh('0d')], NOW, away);
  assert.equal(
    [listed(text), sealed(text)],
    [
      ['0d', '0c', '0b', '0a'],
      ['0b', '0a'],
    ],
  );
  assert.is(nextLedger(text, [], NOW, away), text);
  assert.is(nextLedger(text, [fresh('0a')], NOW, away), text, 'what is listed isn’t listed twice');
  const back = nextLedger(text, [fresh('0e')], NOW, shop);
  assert.equal(
    [listed(back), sealed(back)],
    [
      ['0e', '0b', '0a', '0d', '0c'],
      ['0e', '0b', '0a'],
    ],
  );
  assert.is(nextLedger(TWO, [], after(DAY + SECOND), away), '');
});

test('a text full of forged seals is read in as few steps as one with the seals of eight authorities', () => {
  let verified = 0;
  const counting = {
    ...seal,
    isKnown: true,
    verifies: (...args: Parameters<typeof seal.verifies>) => {
      verified++;
      return seal.verifies(...args);
    },
  };
  const forged = Array.from({ length: 200 }, () => `0a=2026-06-02T12:00:00Z,seal=${'A'.repeat(22)}=${INTERNAL}`);
  readLedger(forged.join(','), { seal: counting, namespace: 'shop' });
  assert.is(verified, 8);
  let text = '';
  for (let index = 0; index < 8; index++)
    text = nextLedger(text, [fresh(`0${index}`, `CertificateAuthority/ca-${index}`)], NOW, shop);
  const authorities = readLedger(text, shop).entries.map(({ sealedFor }) => sealedFor);
  assert.is(new Set(authorities).size, 8);
  assert.not.ok(authorities.includes(undefined));
});

test('for lack of room what has no seal goes first', () => {
  const forged = Array.from(
    { length: 400 },
    (_, index) => `0${index.toString(16).padStart(3, '0')}=2026-06-05T12:00:00Z`,
  );
  let text = forged.join(',');
  for (let index = 0; index < 100; index++)
    text = nextLedger(text, [fresh(`ff${index.toString(16).padStart(2, '0')}`)], NOW, shop);
  assert.is(sealed(text).length, 100);
  assert.ok(Buffer.byteLength(text) <= MOST_LEDGER_BYTES);
  assert.equal(readLedger(text).droppedUntil, after(4 * DAY));
});

test('an entry that is listed without the seal that it had counts as missing', () => {
  const unsealed = TWO.replace(/,seal=.*/, '');
  assert.equal(
    missingFrom(unsealed, TWO, NOW, shop).map(({ sealedFor }) => sealedFor),
    [INTERNAL, INTERNAL],
  );
  assert.equal(missingFrom(TWO, unsealed, NOW, shop), []);
  const merged = mergeLedgers(new Map([['shop', unsealed]]), new Map([['shop', TWO]]), NOW, seal);
  assert.equal(
    [sealed(merged.get('shop') ?? ''), listed(merged.get('shop') ?? '')],
    [
      ['0b', '0a'],
      ['0b', '0a'],
    ],
  );
});

test.run();

import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { after, DAY, HOUR, NOW, SECOND } from '../../../test/unit/builders.ts';
import {
  issuerApart,
  type Ledger,
  type LedgerEntry,
  MOST_LEDGER_BYTES,
  missingFrom,
  nextLedger,
  readLedger,
} from './ledger.ts';
import { mayList, parseLedger } from './ledger-text.ts';

const ISSUER = 'ab'.repeat(32);
const OTHER = 'cd'.repeat(32);
const JUNE_2 = '2026-06-02T12:00:00Z';
const JUNE_3 = '2026-06-03T12:00:00Z';
const JUNE_4 = '2026-06-04T12:00:00Z';
const [june2, june3, june4] = [after(DAY), after(2 * DAY), after(3 * DAY)];

const TEN_OF_A_FORMER_VERSION = Array.from({ length: 10 }, (_, index) => `0${index}=${JUNE_2}`).join(',');

const TEXTS: Readonly<Record<string, readonly [text: string, ledger: Ledger]>> = {
  'no text': ['', { entries: [] }],
  'serials of a former version': [
    `0b=${JUNE_3},0a=${JUNE_2}`,
    {
      entries: [
        { serialNumber: '0b', notAfter: june3 },
        { serialNumber: '0a', notAfter: june2 },
      ],
    },
  ],
  'an issuer that is stated once for all that it signed': [
    `@${ISSUER},0c=${JUNE_4},0b=${JUNE_3}=order/7,@${OTHER},0a=${JUNE_2}`,
    {
      entries: [
        { serialNumber: '0c', notAfter: june4, issuerFingerprint: ISSUER },
        { serialNumber: '0b', notAfter: june3, externalId: 'order/7', issuerFingerprint: ISSUER },
        { serialNumber: '0a', notAfter: june2, issuerFingerprint: OTHER },
      ],
    },
  ],
  'an issuer, and older certificates of an unknown one': [
    `@${ISSUER},0b=${JUNE_3},@,0a=${JUNE_2}`,
    {
      entries: [
        { serialNumber: '0b', notAfter: june3, issuerFingerprint: ISSUER },
        { serialNumber: '0a', notAfter: june2 },
      ],
    },
  ],
  'certificates that were dropped': [
    `@${ISSUER},0b=${JUNE_3},dropped=${JUNE_2}`,
    { entries: [{ serialNumber: '0b', notAfter: june3, issuerFingerprint: ISSUER }], droppedUntil: june2 },
  ],
};

for (const [name, [text, ledger]] of Object.entries(TEXTS)) {
  test(`a ledger is read and written: ${name}`, () => {
    assert.equal(readLedger(text), ledger);
    assert.is(nextLedger(text, [], NOW), text);
    assert.is(nextLedger('', ledger.entries, NOW), text.replace(/,dropped.*/, ''));
  });
}

const DAMAGED: Readonly<Record<string, readonly [text: string, entries: readonly LedgerEntry[]]>> = {
  'a serial number that is no hex, or of odd length': [`xy=${JUNE_2},0=${JUNE_2},=${JUNE_2},0A=${JUNE_2}`, []],
  'an end that is no moment': ['0a=tomorrow,0a,0a=', []],
  'too many fields': [`0a=${JUNE_2}=x=y`, []],
  'an external id that can not be decoded': [`0a=${JUNE_2}=%zz`, [{ serialNumber: '0a', notAfter: june2 }]],
  'an issuer that is a part of a fingerprint': [
    `@${ISSUER.slice(0, 16)},0a=${JUNE_2}`,
    [{ serialNumber: '0a', notAfter: june2 }],
  ],
  'damage between an issuer and what may be of another one': [
    `@${ISSUER},0b=${JUNE_3},${OTHER},0a=${JUNE_2}`,
    [
      { serialNumber: '0b', notAfter: june3, issuerFingerprint: ISSUER },
      { serialNumber: '0a', notAfter: june2 },
    ],
  ],
  'a moment until which certificates are missing that is none': ['dropped=soon', []],
};

for (const [name, [text, entries]] of Object.entries(DAMAGED)) {
  test(`what is damaged is as good as none: ${name}`, () => assert.equal(readLedger(text), { entries }));
}

test('what has expired is dropped, at the second after its end', () => {
  const text = `0b=${JUNE_3},0a=${JUNE_2}`;
  assert.is(nextLedger(text, [], june2), text);
  assert.is(nextLedger(text, [], after(SECOND, june2)), `0b=${JUNE_3}`);
  assert.is(nextLedger(text, [{ serialNumber: '0c', notAfter: june2 }], june4), '');
});

test('a certificate that is known already moves to the front, and what is known of it is kept', () => {
  const text = `0b=${JUNE_3},0a=${JUNE_2}=order/7`;
  const held = { serialNumber: '0a', notAfter: june2, issuerFingerprint: ISSUER };
  assert.is(nextLedger(text, [held], NOW), `@${ISSUER},0a=${JUNE_2}=order/7,@,0b=${JUNE_3}`);
});

test('a serial number that comes again with another end is another certificate', () => {
  const text = nextLedger(`0a=${JUNE_2}`, [{ serialNumber: '0a', notAfter: june3, issuerFingerprint: ISSUER }], NOW);
  assert.is(text, `@${ISSUER},0a=${JUNE_3},@,0a=${JUNE_2}`);
});

test('an external id may hold what separates entries; one that is too long is left out, not cut', () => {
  const written = (externalId: string) => nextLedger('', [{ serialNumber: '0a', notAfter: june2, externalId }], NOW);
  const odd = 'https://ca.example/orders?id=1,2&done=100%\nä';
  assert.is(readLedger(written(odd)).entries[0]?.externalId, odd);
  assert.is(written('x'.repeat(1_025)), `0a=${JUNE_2}`);
});

test('without room the oldest are dropped, and the ledger says until when one of them is valid', () => {
  const add = (text: string, serialNumber: string, notAfter: Date, now = NOW) =>
    nextLedger(text, [{ serialNumber, notAfter }], now, undefined, 76);
  const two = add(add('', '0a', june4), '0b', june2);
  assert.is(two, `0b=${JUNE_2},0a=${JUNE_4}`);
  const full = add(two, '0c', june3);
  assert.is(full, `0c=${JUNE_3},0b=${JUNE_2},dropped=${JUNE_4}`);
  assert.is(add(full, '0d', june3), `0d=${JUNE_3},0c=${JUNE_3},dropped=${JUNE_4}`, 'the last end counts');
  assert.is(nextLedger(full, [], after(SECOND, june4)), '', 'it is complete again');
});

test('the issuer is apart only where a ledger begins with a whole one', () => {
  const certificate = `0a=${JUNE_2}`;
  assert.equal(issuerApart(`@${ISSUER},${certificate}`), [`@${ISSUER},`, certificate]);
  for (const text of ['', certificate, `@,${certificate}`, `@${ISSUER}0,${certificate}`, `${certificate},@${ISSUER},`])
    assert.equal(issuerApart(text), ['', text]);
});

test('ten serials of a former version may not be all that are valid', () => {
  assert.equal(readLedger(TEN_OF_A_FORMER_VERSION).droppedUntil, june2);
  assert.is(readLedger(TEN_OF_A_FORMER_VERSION.slice(0, -24)).droppedUntil, undefined);
  const next = nextLedger(TEN_OF_A_FORMER_VERSION, [{ serialNumber: '0a', notAfter: june3 }], NOW);
  assert.ok(next.endsWith(`dropped=${JUNE_2}`));
});

const entry: fc.Arbitrary<LedgerEntry> = fc.record({
  serialNumber: fc.stringMatching(/^([0-9a-f]{2}){1,20}$/),
  notAfter: fc.integer({ min: -50, max: 50 }).map((hours) => after(hours * HOUR)),
  externalId: fc.option(fc.string({ minLength: 1, unit: 'grapheme' }), { nil: undefined }),
  issuerFingerprint: fc.constantFrom(ISSUER, OTHER),
});
const issues = fc.array(fc.tuple(entry, fc.integer({ min: 0, max: 10 })), { maxLength: 40 });
const idOf = ({ serialNumber, notAfter }: LedgerEntry) => `${serialNumber} ${notAfter.toISOString()}`;

/** Writes one after the other, hours apart; answers what was written last, with all that was issued, newest first. */
function writeAll(all: readonly (readonly [LedgerEntry, number])[], mostBytes: number) {
  let text = '';
  let now = NOW;
  const issued = new Map<string, LedgerEntry>();
  for (const [each, hours] of all) {
    now = after(hours * HOUR, now);
    text = nextLedger(text, [each], now, undefined, mostBytes);
    assert.ok(Buffer.byteLength(text) <= mostBytes);
    issued.delete(idOf(each));
    issued.set(idOf(each), each);
  }
  const valid = [...issued.values()].reverse().filter(({ notAfter }) => notAfter >= now);
  return { text, now, valid };
}

test('whatever is issued, all that is still valid is in the ledger, newest first, each once', () => {
  fc.assert(
    fc.property(issues, (all) => {
      const { text, valid } = writeAll(all, MOST_LEDGER_BYTES);
      const { entries, droppedUntil } = readLedger(text);
      assert.equal(entries.map(idOf), valid.map(idOf));
      assert.is(droppedUntil, undefined);
      for (const [index, { externalId, issuerFingerprint }] of valid.entries()) {
        if (externalId !== undefined) assert.is(entries[index]?.externalId, externalId);
        assert.is(entries[index]?.issuerFingerprint, issuerFingerprint);
      }
    }),
  );
});

test('whatever is issued, a ledger stays within its bytes, and lists each certificate or says until when one is missing', () => {
  fc.assert(
    fc.property(issues, fc.integer({ min: 28, max: 1_000 }), (all, mostBytes) => {
      const { text, valid } = writeAll(all, mostBytes);
      const { entries, droppedUntil } = readLedger(text);
      const known = new Set(entries.map(idOf));
      for (const each of valid)
        assert.ok(known.has(idOf(each)) || (droppedUntil !== undefined && each.notAfter <= droppedUntil), idOf(each));
    }),
  );
});

test('what a ledger lacks of another one is what is valid in that one alone', () => {
  fc.assert(
    fc.property(fc.array(entry), fc.array(entry), (mine, others) => {
      const [present, former] = [mine, others].map((each) => nextLedger('', each, after(-100 * HOUR))) as [
        string,
        string,
      ];
      const known = new Set(mine.map(idOf));
      const missing = new Set(others.filter((each) => each.notAfter >= NOW && !known.has(idOf(each))).map(idOf));
      assert.equal(new Set(missingFrom(present, former, NOW).map(idOf)), missing);
    }),
  );
});

test('any text is a ledger, and what is written of it is read the same', () => {
  const part = fc.oneof(
    fc.string(),
    fc.constantFrom('', '@', `@${ISSUER}`, `0a=${JUNE_2}`, `0b=${JUNE_3}=x`, `dropped=${JUNE_4}`, 'dropped'),
  );
  fc.assert(
    fc.property(fc.array(part), (parts) => {
      const text = nextLedger(parts.join(','), [], NOW);
      assert.is(nextLedger(text, [], NOW), text);
    }),
  );
});

const SERIALS = ['0a', '0b', '0a0b', 'ff'];
const anyPart = fc.oneof(
  fc.constantFrom(...SERIALS.map((serial) => `${serial}=2026-06-02T12:00:00Z`), '0a=2026-06-02T12:00:00Z=0b=', '0b'),
  fc.constantFrom('', '=0a', 'seal=', 'issued=0a', `@${'0a'.repeat(32)}`, `seal=0a=CertificateAuthority/0b`),
);

test('a text that lists a serial number may list it, whatever else is in the text', () => {
  fc.assert(
    fc.property(fc.array(anyPart, { maxLength: 8 }), (parts) => {
      const text = parts.join(',');
      for (const { serialNumber } of parseLedger(text).entries)
        assert.ok(mayList(text, new Set([serialNumber])), `${serialNumber} in ${text}`);
    }),
  );
  assert.not(mayList('0a=2026-06-02T12:00:00Z', new Set(['0b'])));
});

test.run();

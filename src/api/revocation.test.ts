import { randomInt } from 'node:crypto';
import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { cpuMs } from '../../test/unit/cpu.ts';
import {
  REVOCATION_REASONS,
  REVOKE_ANNOTATION,
  REVOKE_ISSUED_BEFORE_ANNOTATION,
  revocation,
  revocationRequest,
} from './revocation.ts';

const seed = Number(process.env.SEED ?? randomInt(2 ** 31));
console.log(`# SEED=${seed}`);

/** As the API server fills it in. */
const KEEP = { superseded: 'Keep', deleted: 'Keep', policyViolation: 'Keep' } as const;

const reading = (text: string) => revocationRequest({ [REVOKE_ANNOTATION]: text });
const before = (text: string) => revocationRequest({ [REVOKE_ISSUED_BEFORE_ANNOTATION]: text });

test('without an annotation nothing is asked for', () => {
  for (const annotations of [undefined, {}, { 'certwheel.io/revoked': 'aa' }])
    assert.is(revocationRequest(annotations), undefined);
});

/** By how a tool prints it, what is read: serial number and reason. */
const SPELLINGS: Record<string, readonly [text: string, ...read: readonly [string, string][]]> = {
  'lower-case hex': ['3fa9c1', ['3fa9c1', 'unspecified']],
  'upper-case hex, as openssl x509 -serial prints it': ['3FA9C1', ['3fa9c1', 'unspecified']],
  'colons, as openssl x509 -text prints it': ['3f:a9:c1', ['3fa9c1', 'unspecified']],
  'the sign octet of DER, as openssl and browsers print it': ['00:9F:A9:C1', ['9fa9c1', 'unspecified']],
  'no leading zero, as Go prints it': ['fa9c1', ['0fa9c1', 'unspecified']],
  'one octet': ['7f', ['7f', 'unspecified']],
  zero: ['00', ['00', 'unspecified']],
  'twenty octets': ['7f'.repeat(20), ['7f'.repeat(20), 'unspecified']],
  'twenty octets behind a sign octet': [`00${'9f'.repeat(20)}`, ['9f'.repeat(20), 'unspecified']],
  'a reason': ['3fa9c1=keyCompromise', ['3fa9c1', 'keyCompromise']],
  'two, with spaces and an empty part': [' aa=superseded , ,bb', ['aa', 'superseded'], ['bb', 'unspecified']],
};

for (const [sentence, [text, ...read]] of Object.entries(SPELLINGS))
  test(`a serial number is read: ${sentence}`, () => {
    const { serials, unread } = reading(text) ?? {};
    assert.is(unread, undefined);
    assert.equal(
      serials?.map(({ serialNumber, reason }) => [serialNumber, reason]),
      read,
    );
  });

const HOSTILE: Record<string, string> = {
  'no hex': 'xyz',
  'a number with a sign': '-1',
  'a reason that CRLs have and no client certificate': 'aa=removeFromCRL',
  'a reason in another case': 'aa=keycompromise',
  'an empty reason': 'aa=',
  'two reasons': 'aa=superseded=keyCompromise',
  'a reason alone': '=keyCompromise',
  'twenty-one octets': '7f'.repeat(21),
  'a property of every object': 'aa=constructor',
  'a line break': 'aa\nbb',
  'full-width digits': '１２',
};

for (const [sentence, text] of Object.entries(HOSTILE))
  test(`a serial number that can't be read revokes nothing and is said: ${sentence}`, () => {
    const { serials, unread = '' } = reading(text) ?? {};
    assert.equal(serials, []);
    assert.match(unread, 'write a serial number and a reason');
  });

test('what can be read beside what can not be is revoked, and the rest is said', () => {
  const { serials, unread = '' } = reading('aa,zz,bb') ?? {};
  assert.equal(
    serials?.map(({ serialNumber }) => serialNumber),
    ['aa', 'bb'],
  );
  assert.match(unread, '"zz"');
});

test('more serial numbers than a ledger has are cut off, which is said', () => {
  const text = Array.from({ length: 301 }, (_, index) => (0x1000 + index).toString(16)).join(',');
  const { serials, unread = '' } = reading(text) ?? {};
  assert.is(serials?.length, 300);
  assert.match(unread, 'from serial number 301 on');
});

test('a text of 256 KiB is read within a moment, and little of it is repeated', () => {
  const usedMs = cpuMs(() => {
    for (const text of [','.repeat(2 ** 18), 'g'.repeat(2 ** 18), ':'.repeat(2 ** 18), '0'.repeat(2 ** 18)]) {
      const { unread = '' } = reading(text) ?? {};
      assert.ok(unread.length < 300, unread);
    }
  });
  assert.ok(usedMs < 500, `${usedMs} ms`);
});

test('a moment is read with its zone and its reason', () => {
  const read = before(' 2026-06-01T14:00:00+02:00=affiliationChanged ');
  assert.equal(read?.issuedBefore, { moment: new Date('2026-06-01T12:00:00Z'), reason: 'affiliationChanged' });
  assert.is(before('2026-06-01T12:00:00Z')?.issuedBefore?.reason, 'unspecified');
});

for (const text of ['', 'yesterday', '2026-06-01', '2026-13-01T00:00:00Z', '2026-06-01T12:00:00Z=', 'Infinity', '0'])
  test(`a moment that can't be read revokes nothing and is said: "${text}"`, () => {
    const { issuedBefore, unread = '' } = before(text) ?? {};
    assert.is(issuedBefore, undefined);
    assert.match(unread, `${REVOKE_ISSUED_BEFORE_ANNOTATION} "${text}"`);
  });

test('any text gives serial numbers and reasons that X.509 has, or is said to be unread', () => {
  const piece = fc.oneof(
    fc.constantFrom(',', '=', ':', '00', 'aA', 'keyCompromise', ' ', 'superseded', '\0', '__proto__'),
    fc.string({ maxLength: 4 }),
  );
  const text = fc.array(piece, { maxLength: 30 }).map((pieces) => pieces.join(''));
  fc.assert(
    fc.property(text, (asked) => {
      const { serials = [], unread } = reading(asked) ?? {};
      for (const { serialNumber, reason } of serials) {
        assert.match(serialNumber, /^([0-9a-f]{2}){1,20}$/);
        assert.ok(serialNumber === '00' || !serialNumber.startsWith('00'), serialNumber);
        assert.ok(REVOCATION_REASONS.includes(reason));
      }
      const parts = asked.split(',').filter((part) => part.trim() !== '').length;
      assert.is(unread === undefined, serials.length === parts);
    }),
    { seed, numRuns: 2_000 },
  );
});

test('an authority without spec.revocation revokes nothing by itself, and keeps no CRL', () => {
  const { revokesSuperseded, revokesDeleted, revokesViolations, serials, keepsCrl } = revocation(undefined);
  assert.equal([revokesSuperseded, revokesDeleted, revokesViolations, keepsCrl], [false, false, false, false]);
  assert.equal(serials, []);
});

test('spec.revocation has its defaults, and a URL without slashes at its end', () => {
  const { delayMs, crlValidityMs, url, keepsCrl } = revocation({ ...KEEP, url: 'http://pki.example.com/crl//' });
  assert.equal([delayMs, crlValidityMs, keepsCrl], [3_600_000, 7 * 86_400_000, true]);
  assert.is(url, 'http://pki.example.com/crl');
  assert.is(revocation({ ...KEEP, delay: '0s' }).delayMs, 0);
});

test.run();

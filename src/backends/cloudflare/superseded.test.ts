import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { BookedCertificate } from '../backend-deps.ts';
import type { ListedCertificate } from './certificates.ts';
import { revocable } from './superseded.ts';

const MINUTE = 60_000;
const now = new Date('2026-06-01T12:00:00Z');
const ago = (minutes: number) => new Date(now.getTime() - minutes * MINUTE);

function listed(serialNumber: string, more: Partial<ListedCertificate> = {}): ListedCertificate {
  const unused = { certificate: '', publicKey: undefined, csr: '', validityDays: 1, issuedOn: now };
  return { id: `id-${serialNumber}`, serialNumber, status: 'active', ...unused, ...more };
}

function booked(serialNumber: string, supersededAt?: Date, externalId = `id-${serialNumber}`): BookedCertificate {
  return { serialNumber, externalId, supersededAt };
}

function ids(
  list: readonly ListedCertificate[],
  books: readonly BookedCertificate[],
  left: [string, Date][] = [],
  ms = 5 * MINUTE,
) {
  return revocable(list, { booked: books, left: new Map(left) }, ms, now).map(({ id }) => id);
}

test('what was superseded long enough ago is revocable, the first one first', () => {
  const list = ['01', '02', '03', '04'].map((each) => listed(each));
  const books = [booked('01', ago(6)), booked('02', ago(4)), booked('03'), booked('04', ago(60))];
  assert.equal(ids(list, books), ['id-04', 'id-01']);
  assert.equal(ids(list, books, [], 0), ['id-04', 'id-01', 'id-02']);
});

test('what the books do not know is never revocable, nor by the serial number or the id alone', () => {
  const list = [listed('01'), listed('02'), listed('03')];
  const books = [
    booked('02', ago(60), 'id-of-another'),
    booked('99', ago(60), 'id-03'),
    booked('01', ago(60), undefined),
  ];
  assert.equal(
    ids(
      list,
      books.map((each) => (each.serialNumber === '01' ? { ...each, externalId: undefined } : each)),
    ),
    [],
  );
});

test('a certificate that a Secret holds with its key is not revocable, and one that others claim by its serial number is', () => {
  const list = [listed('01'), listed('02')];
  const books = [booked('01', ago(60)), booked('02', ago(60)), booked('02', undefined, 'id-of-another')];
  const held = { serialNumber: '01', externalId: undefined, supersededAt: undefined };
  assert.equal(ids(list, [...books, held]), ['id-02']);
});

test('what is not active is left alone, and what states no serial number', () => {
  const list = [listed('01', { status: 'pending_revocation' }), listed('02', { serialNumber: '' })];
  assert.equal(ids(list, [booked('01', ago(60)), booked('02', ago(60))], [['id-02', ago(60)]]), []);
});

test('the certificate of a request that was given up is revocable after a minute, unless it was published', () => {
  const list = [listed('01'), listed('02'), listed('03')];
  const left: [string, Date][] = [
    ['id-01', ago(2)],
    ['id-02', ago(2)],
    ['id-03', ago(0.5)],
  ];
  assert.equal(ids(list, [booked('02')], left, 0), ['id-01']);
  assert.equal(ids(list, [booked('02')], left, 5 * MINUTE), []);
});

test.run();

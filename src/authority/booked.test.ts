import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { client, object } from '../../test/unit/client-secret.ts';
import * as names from '../api/names.ts';
import type { RawObject } from '../api/parse.ts';
import { NO_RECORD, recordSecret, type SecretKept } from '../certificate/secret/record.ts';
import { viewOnArrival, viewSecret } from '../certificate/secret/view.ts';
import { bookedIn, bookedOf } from './booked.ts';

const HELD = client.certificate.serialNumber;
const ISSUED = '2026-06-01T11:00:00.000Z';
const END = '2026-06-30T12:00:00Z';

function secret(serials: string, { data = object.data, issuedAt = ISSUED } = {}): RawObject {
  const annotations = {
    ...object.metadata?.annotations,
    [names.SERIALS_ANNOTATION]: serials,
    [names.ISSUED_AT_ANNOTATION]: issuedAt,
  };
  return { ...object, metadata: { ...object.metadata, annotations }, ...(data && { data }) };
}

const short = (kept: readonly SecretKept[]) =>
  bookedIn(kept).map(
    (each) => `${each.serialNumber}=${each.externalId ?? ''}=${each.supersededAt?.toISOString() ?? ''}`,
  );

test('all but the certificate that a Secret holds were superseded when that was issued', () =>
  assert.equal(short([viewSecret(secret(`${HELD}=${END}=new,0b=${END}=old`))]), [
    `${HELD}=new=`,
    `0b=old=${ISSUED}`,
    `${HELD}==`,
  ]));

test('a certificate that the list lacks is held all the same, whatever the list says', () => {
  assert.equal(short([viewSecret(secret(`0b=${END}=old`))]), [`0b=old=${ISSUED}`, `${HELD}==`]);
  assert.equal(short([viewSecret(secret(`0b=${END}=old,${HELD}=${END}=put-back`))]), [
    `0b=old=${ISSUED}`,
    `${HELD}=put-back=`,
    `${HELD}==`,
  ]);
});

test('where it is not known what a Secret holds, it is the newest one of its list', () => {
  const list = `0c=${END}=new,0b=${END}=old`;
  const expected = ['0c=new=', `0b=old=${ISSUED}`];
  assert.equal(short([viewSecret(secret(list, { data: {} }))]), expected);
});

test('while a Secret is not proven, nothing of its list was superseded, and the books prove nothing', () => {
  const view = viewOnArrival(secret(`0c=${END}=new,0b=${END}=old`));
  assert.equal(short([view]), ['0c=new=', '0b=old=', `${HELD}==`]);
  assert.is(view.isProven, false);
});

test('where it is not known since when, nothing was superseded', () => {
  const list = secret(`${HELD}=${END}=new,0b=${END}=old`, { issuedAt: 'nonsense' });
  assert.equal(short([viewSecret(list)]), [`${HELD}=new=`, '0b=old=', `${HELD}==`]);
  assert.equal(short([recordSecret(secret(`${HELD}=${END}=new,0b=${END}=old`)), NO_RECORD]), [
    `${HELD}=new=`,
    '0b=old=',
  ]);
});

test('what one Secret holds was not superseded, whatever another one says, and otherwise the later moment counts', () => {
  const [one, later] = [secret(`0c=${END}=c,0b=${END}=old`, { data: {} }), '2026-06-01T11:30:00.000Z'];
  const other = secret(`0d=${END}=d,0c=${END}=c,0b=${END}=old`, { data: {}, issuedAt: later });
  assert.equal(short([viewSecret(one), viewSecret(other)]), ['0c=c=', `0b=old=${later}`, '0d=d=']);
});

test("a list that was forged without the authority's ids, or with others, says nothing of the certificates of others", () => {
  const honest = viewSecret(secret(`${HELD}=${END}=new,0b=${END}=old`));
  const forged = viewSecret(secret(`0b=${END},0b=${END}=other,${HELD}=${END}`, { data: {} }));
  assert.equal(short([forged, honest]), ['0b=other=', `${HELD}=new=`, `0b=old=${ISSUED}`, `${HELD}==`]);
});

test('of a long list, which a tenant may have forged in many Secrets, the newest certificates are read', () => {
  const serials = Array.from({ length: 340 }, (_, index) => (0x100000 + index).toString(16).padStart(6, '0'));
  const list = serials.map((serial) => `${serial}=${END}=id`).join();
  const read = bookedIn([viewSecret(secret(list, { data: {} }))]).map(({ serialNumber }) => serialNumber);
  assert.equal(read, serials.slice(0, 32));
});

test('the books of a fallback hold what it issued for the authorities that name it', () => {
  const secrets = new Map([
    ['CertificateAuthority/team/reserve', [viewSecret(secret(`${HELD}=${END}=its-own`))]],
    ['CertificateAuthority/team/ca', [viewSecret(secret(`0c=${END}=in-place-of-ca`, { data: {} }))]],
  ]);
  const primaries = new Map([['CertificateAuthority/team/reserve', ['CertificateAuthority/team/ca']]]);
  const ids = (authority: string) =>
    bookedOf(authority, {
      secrets: { byIndex: (_index, key) => secrets.get(key) ?? [] },
      withPrimaries: (key) => [key, ...(primaries.get(key) ?? [])],
    }).flatMap(({ externalId = [] }) => externalId);
  assert.equal(ids('CertificateAuthority/team/reserve'), ['its-own', 'in-place-of-ca']);
  assert.equal(ids('CertificateAuthority/team/ca'), ['in-place-of-ca']);
});

test.run();

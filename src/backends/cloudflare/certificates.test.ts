import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { signCsr } from '../../../test/e2e/backends/sign-csr.ts';
import { root } from '../../../test/pki/make.ts';
import { cpuMs } from '../../../test/unit/cpu.ts';
import { parseCertificate } from '../../pki/certificate.ts';
import { CSR_LABEL, makeCsr } from '../../pki/csr.ts';
import { generateKey, publicKeyDer } from '../../pki/keys.ts';
import { toPem } from '../../pki/pem.ts';
import { NO_NAMES } from '../../pki/san.ts';
import { answerTo, daysFor, type ListedCertificate, readListed } from './certificates.ts';

const HOUR = 3_600_000;
const ca = await root();
const key = await generateKey({ algorithm: 'ECDSA', size: 256 });
const now = new Date();

function csrOf(commonName: string): Buffer {
  return makeCsr({ key, subject: { commonName }, names: NO_NAMES, usages: ['client auth'] });
}

function listed(csr: Buffer, more: Partial<ListedCertificate> = {}): ListedCertificate {
  const {
    pem,
    serialNumber,
    publicKeyDer: publicKey,
  } = parseCertificate(signCsr(csr, ca, new Date(now.getTime() + 24 * HOUR)));
  const known = { certificate: pem, publicKey, serialNumber, csr: toPem(CSR_LABEL, csr), status: 'active' };
  return { id: serialNumber, validityDays: 1, issuedOn: now, ...known, ...more };
}

const request = () => ({ publicKey: publicKeyDer(key), csr: csrOf('alice'), days: 1 });
const find = (list: readonly ListedCertificate[], published = false) => answerTo(request(), list, () => published, now);

test('a life is asked for in whole days, rounded up, one at least, and as many as the CA has left at most', () => {
  const anchor = (days: number) => ({ notAfter: new Date(now.getTime() + days * 24 * HOUR) });
  const lives = [1, HOUR, 24 * HOUR, 24 * HOUR + 1, 48 * HOUR, 90 * 24 * HOUR];
  const daysUnder = (...left: readonly number[]) =>
    lives.map((lifetimeMs) => daysFor(lifetimeMs, left.map(anchor), now));
  assert.equal(daysUnder(3_650), [1, 1, 1, 2, 2, 90]);
  assert.equal(daysUnder(10, 30.5), [1, 1, 1, 2, 2, 30]);
  assert.equal(daysUnder(0.5), [1, 1, 1, 1, 1, 1]);
});

test('a lost answer is found by its key and its CSR, whose signature is another one each time', () => {
  const csr = csrOf('alice');
  assert.not.equal(csr, csrOf('alice'));
  const mine = listed(csr);
  assert.is(find([listed(csrOf('bob')), mine]), mine);
  // The API may leave it out.
  const short = listed(csr, { csr: '' });
  assert.is(find([short]), short);
});

test('what was published, revoked, asked for otherwise or is half over is no lost answer', () => {
  const csr = csrOf('alice');
  assert.is(find([listed(csr)], true), undefined);
  assert.is(find([listed(csr, { status: 'pending_revocation' })]), undefined);
  assert.is(find([listed(csrOf('bob'))]), undefined);
  assert.is(find([listed(csr, { validityDays: 2 })]), undefined);
  assert.is(find([listed(csr, { issuedOn: new Date(now.getTime() - 13 * HOUR) })]), undefined);
  assert.is(find([listed(csr, { publicKey: undefined }), listed(csr, { csr: 'nonsense' })]), undefined);
});

test('of two answers the first is taken, in whatever order they are listed', () => {
  const [first, second] = [0, 1].map((hours) =>
    listed(csrOf('alice'), { issuedOn: new Date(now.getTime() - (2 - hours) * HOUR) }),
  );
  assert.ok(first && second);
  assert.is(find([first, second]), first);
  assert.is(find([second, first]), first);
});

test('the public key of a certificate is read from its PEM, and none from what is no certificate', () => {
  const { certificate } = listed(csrOf('alice'));
  assert.equal(readListed({ id: 'a1', certificate })?.publicKey, publicKeyDer(key));
  for (const other of [
    'nonsense',
    toPem('CERTIFICATE', Buffer.from('3003020101', 'hex')),
    toPem(CSR_LABEL, csrOf('a')),
  ])
    assert.is(readListed({ id: 'a1', certificate: other })?.publicKey, undefined);
});

test('a search in the longest list that a server can give costs less than 10 ms for each request that waits for it', () => {
  // 40 pages of 50 certificates of 19 KB, nearly 1 MiB each.
  const certificate = toPem('CERTIFICATE', Buffer.alloc(14_000, 7));
  const list = Array.from({ length: 2_000 }, (_, index) =>
    readListed({ id: `${index}`, status: 'active', certificate }),
  );
  const asked = { ...request(), csr: csrOf('alice') };
  const search = () => void answerTo(asked, list as readonly ListedCertificate[], () => false, now);
  const cost = Math.min(...Array.from({ length: 3 }, () => cpuMs(search)));
  assert.ok(cost < 10, `${cost} ms`);
});

test('of what the API states, nothing is believed', () => {
  for (const value of [undefined, null, 7, [], {}, { id: 7 }, { id: '../zones' }, { id: 'x'.repeat(65) }])
    assert.is(readListed(value), undefined);
  const odd = readListed({ id: 'a1', serial_number: 'no hex', certificate: 7, issued_on: 'never', validity_days: '1' });
  assert.equal(odd, {
    ...{ id: 'a1', serialNumber: '', certificate: '', publicKey: undefined, csr: '', status: '' },
    ...{ issuedOn: undefined, validityDays: undefined },
  });
  assert.is(readListed({ id: 'a1', serial_number: '00:0A:BC' })?.serialNumber, '0abc');
});

test.run();

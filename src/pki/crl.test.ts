import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { ALL_KEYS, describe, HOUR, hoursFromNow, leaf, NOW, renewedRoot, root } from '../../test/pki/make.ts';
import { openssl } from '../../test/pki/openssl.ts';
import { cpuMs } from '../../test/unit/cpu.ts';
import { CRL_LABEL, type CrlRequest, maySignCrls, type RevokedEntry, revokedEntry, signCrl } from './crl.ts';
import { toPem } from './pem.ts';
import { signerOf } from './signer.ts';
import { x509 } from './x509.ts';

const ca = await root();
const URL = 'http://certwheel.example/ca/1.crl';

function listOf(entries: readonly RevokedEntry[], change: Partial<CrlRequest> = {}, holder = ca): Promise<Buffer> {
  return signCrl({
    ca: { certificate: holder.certificate, signer: signerOf(holder.key) },
    number: 1n,
    thisUpdate: NOW,
    nextUpdate: hoursFromNow(24),
    entries: entries.map(revokedEntry),
    ...change,
  });
}

const ATTIME = ['-attime', String(NOW.getTime() / 1000 + 60)];

function verified(crl: Buffer, certificate: string, holder = ca) {
  const files = { ca: holder.certificate.pem, crl: toPem(CRL_LABEL, crl), leaf: certificate };
  const list = ['-crl_check', '-CAfile', '{ca}', '-CRLfile', '{crl}'];
  return openssl(['verify', '-x509_strict', ...ATTIME, ...list, '{leaf}'], files);
}

for (const keySpec of ALL_KEYS)
  test(`openssl refuses what is on the list of a CA with an ${describe(keySpec)} key, and nothing else`, async () => {
    const holder = await root({ keySpec });
    const [revoked, valid] = [await leaf(holder), await leaf(holder)];
    const { serialNumber } = revoked.certificate;
    const crl = await listOf([{ serialNumber, revokedAt: NOW, reasonCode: 1 }], {}, holder);
    assert.match(verified(crl, revoked.certificate.pem, holder).text, 'certificate revoked');
    assert.ok(verified(crl, valid.certificate.pem, holder).ok);
  });

test('openssl and @peculiar/x509 read from any list what was written', async () => {
  const moments = fc.date({ min: new Date('2020-01-01'), max: new Date('2060-01-01'), noInvalidDate: true });
  const entry = fc.record({
    serialNumber: fc
      .uint8Array({ minLength: 1, maxLength: 20 })
      .filter((bytes) => (bytes[0] ?? 0) > 0 && (bytes.length < 20 || (bytes[0] ?? 0) < 0x80))
      .map((bytes) => Buffer.from(bytes).toString('hex')),
    revokedAt: moments,
    reasonCode: fc.constantFrom(0, 1, 2, 3, 4, 5, 6, 9, 10),
  });
  const entries = fc.uniqueArray(entry, { selector: (each) => each.serialNumber, maxLength: 20 });
  await fc.assert(
    fc.asyncProperty(entries, fc.bigInt({ min: 0n, max: 2n ** 159n - 1n }), async (all, number) => {
      const der = await listOf(all, { number });
      const list = new x509.X509Crl(der);
      assert.ok(await list.verify({ publicKey: new x509.PublicKey(ca.certificate.publicKeyDer) }));
      assert.equal(
        list.entries.map(({ serialNumber, revocationDate, reason }) => [
          serialNumber,
          seconds(revocationDate),
          reason ?? 0,
        ]),
        all.map(({ serialNumber, revokedAt, reasonCode }) => [serialNumber, seconds(revokedAt), reasonCode]),
      );
      const read = openssl(['crl', '-inform', 'DER', '-in', '{crl}', '-noout', '-crlnumber'], { crl: der });
      assert.is(BigInt(read.out.trim().replace(/^crlNumber=/, '')), number);
    }),
    { numRuns: 60 },
  );
});

const seconds = (date: Date) => Math.floor(date.getTime() / 1000);

test('a list is for certificates that name the place where it is served', async () => {
  const { certificate } = await leaf(ca);
  const crl = await listOf([], { url: URL });
  const { out } = openssl(['crl', '-inform', 'DER', '-in', '{crl}', '-noout', '-text'], { crl });
  assert.match(out, /Issuing Distribution Point: critical\s+Full Name:\s+URI:http:\/\/certwheel\.example\/ca\/1\.crl/);
  // The certificate names no place.
  assert.match(verified(crl, certificate.pem).text, /different CRL scope/i);
});

test('a list that has ended is refused, as openssl refuses every certificate with it', async () => {
  const { certificate } = await leaf(ca);
  const crl = await listOf([], { thisUpdate: hoursFromNow(-2), nextUpdate: hoursFromNow(-1) });
  assert.match(verified(crl, certificate.pem).text, 'CRL has expired');
});

test('what openssl and verifiers would refuse is not signed', async () => {
  const refusals: [Partial<CrlRequest>, RegExp][] = [
    [{ nextUpdate: NOW }, /ends before it begins/],
    [{ number: -1n }, /more than 20 octets/],
    [{ number: 2n ** 159n }, /more than 20 octets/],
  ];
  for (const [change, says] of refusals) assert.match(await failureOf(listOf([], change)), says);
  for (const reasonCode of [7, 8, 11, 1.5, Number.NaN])
    assert.throws(() => revokedEntry({ serialNumber: '01', revokedAt: NOW, reasonCode }), /no reason/);
});

test('a CA whose key usage lacks it signs no list', async () => {
  const { certificate } = ca;
  assert.ok(maySignCrls(certificate));
  assert.ok(maySignCrls({ usages: ['client auth'], certSign: undefined }));
  const usages = certificate.usages.filter((each) => each !== 'crl sign');
  const without = { certificate: { ...certificate, usages }, key: ca.key };
  assert.match(await failureOf(listOf([], {}, without)), /lacks the key usage "crl sign"/);
});

test('the list of a CA that was renewed under its key is for certificates of both', async () => {
  const renewed = renewedRoot(ca, { notAfter: hoursFromNow(2000) });
  const { certificate } = await leaf(ca);
  const crl = await listOf([{ serialNumber: certificate.serialNumber, revokedAt: NOW, reasonCode: 4 }], {}, renewed);
  assert.match(verified(crl, certificate.pem).text, 'certificate revoked');
});

test('100,000 entries are signed again in a fraction of the time in which they are written', async () => {
  const all = Array.from({ length: 100_000 }, (_, index) => ({
    serialNumber: (2 ** 40 + index).toString(16).padStart(32, '4'),
    revokedAt: new Date(NOW.getTime() - index * HOUR),
    reasonCode: index % 2,
  }));
  let entries: Buffer[] = [];
  const writing = cpuMs(() => {
    entries = all.map(revokedEntry);
  });
  const started = process.cpuUsage();
  const crl = await listOf([], { entries });
  const { user, system } = process.cpuUsage(started);
  console.log(
    `# a list of 100,000: ${crl.length} bytes, written in ${writing} ms and signed in ${(user + system) / 1000} ms of CPU`,
  );
  assert.ok(crl.length < 5_000_000);
  assert.ok((user + system) / 1000 < 2_000);
  const read = openssl(['crl', '-inform', 'DER', '-in', '{crl}', '-noout', '-fingerprint'], { crl });
  assert.ok(read.ok, read.text);
});

async function failureOf(promise: Promise<unknown>): Promise<string> {
  return promise.then(
    () => 'it was signed',
    (error: Error) => error.message,
  );
}

test.run();

import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { ALL_KEYS, describe, hoursFromNow, leaf, NOW, renewedRoot, root } from '../../test/pki/make.ts';
import { openssl, opensslFile } from '../../test/pki/openssl.ts';
import { cpuMs } from '../../test/unit/cpu.ts';
import { revokedEntry, signCrl } from './crl.ts';
import { encodePrivateKey } from './keys.ts';
import { isMarkedSerial, markedSerial } from './marked-serial.ts';
import { parsePem } from './pem.ts';
import { isCrlOf, readCrl } from './read-crl.ts';
import { signerOf } from './signer.ts';

const seed = Math.floor(Math.random() * 2 ** 31);
console.log(`# seed ${seed}`);
const ca = await root();

const listOf = (entries: readonly Buffer[], holder = ca) =>
  signCrl({
    ca: { certificate: holder.certificate, signer: signerOf(holder.key) },
    number: 2n ** 100n,
    thisUpdate: NOW,
    nextUpdate: hoursFromNow(24),
    entries,
  });

for (const keySpec of ALL_KEYS)
  test(`a CRL of a CA with an ${describe(keySpec)} key is read, and is that of no other CA`, async () => {
    const holder = await root({ keySpec });
    const entry = { serialNumber: '80ff', revokedAt: hoursFromNow(-3), reasonCode: 4 };
    const crl = readCrl(
      await listOf([revokedEntry(entry), revokedEntry({ ...entry, serialNumber: '01', reasonCode: 0 })], holder),
    );
    assert.equal([crl.thisUpdate, crl.nextUpdate, crl.number, crl.size], [NOW, hoursFromNow(24), 2n ** 100n, 2]);
    assert.equal(crl.find('80ff'), { revokedAt: entry.revokedAt, reasonCode: 4 });
    assert.equal(crl.find('01'), { revokedAt: entry.revokedAt, reasonCode: 0 });
    assert.is(crl.find('02'), undefined);
    assert.ok(isCrlOf(crl, holder.certificate));
    assert.ok(isCrlOf(crl, renewedRoot(holder).certificate));
    assert.not(isCrlOf(crl, (await root({ keySpec })).certificate), 'another key');
    assert.not(isCrlOf(crl, (await root({ key: holder.key, commonName: 'Other' })).certificate), 'another name');
  });

test('a CRL that openssl has made is read', async () => {
  const { certificate, key } = ca;
  const files = {
    config:
      '[ca]\ndefault_ca = d\n[d]\ndatabase = index\ncrlnumber = number\ndefault_md = sha256\ncrl_extensions = e\n[e]\nauthorityKeyIdentifier = keyid\n',
    index: 'R\t300101000000Z\t260101000000Z,keyCompromise\t1234\tunknown\t/CN=client\n',
    number: '1000\n',
    ca: certificate.pem,
    key: encodePrivateKey(key, 'PKCS8'),
  };
  const der = opensslFile(
    ['ca', '-config', '{config}', '-gencrl', '-crldays', '7', '-cert', '{ca}', '-keyfile', '{key}', '-out', '{out}'],
    files,
  );
  const read = readCrl(parsePem(der.toString())[0]?.der ?? der);
  assert.ok(isCrlOf(read, certificate));
  assert.is(read.size, 1);
  assert.is(read.find('1234')?.reasonCode, 1);
  assert.is(read.number, 0x1000n);
});

test('any change of a CRL is refused, and any bytes are read or refused with an Error', async () => {
  const der = await listOf([revokedEntry({ serialNumber: '1234', revokedAt: NOW, reasonCode: 1 })]);
  assert.ok(isCrlOf(readCrl(der), ca.certificate));
  const changed = fc.tuple(fc.nat(der.length - 1), fc.integer({ min: 1, max: 255 })).map(([at, change]) => {
    const copy = Buffer.from(der);
    copy[at] = (copy[at] ?? 0) ^ change;
    return copy;
  });
  const any = fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes));
  fc.assert(
    fc.property(fc.oneof(changed, any), (bytes) => {
      try {
        assert.not(isCrlOf(readCrl(bytes), ca.certificate));
      } catch (error) {
        assert.instance(error, Error);
        assert.not.instance(error, assert.Assertion);
      }
    }),
    { seed, numRuns: 2_000 },
  );
});

test('a CRL of 100,000 entries is indexed in less than a second', async () => {
  const revoked = { revokedAt: NOW, reasonCode: 1 };
  const serialAt = (index: number) => (2 ** 40 + index).toString(16).padStart(38, '4');
  const der = await listOf(
    Array.from({ length: 100_000 }, (_, index) => revokedEntry({ serialNumber: serialAt(index), ...revoked })),
  );
  let found = 0;
  const indexing = cpuMs(() => {
    found = readCrl(der).size;
  });
  console.log(`# ${der.length} bytes, indexed in ${indexing} ms of CPU`);
  assert.is(found, 100_000);
  assert.ok(indexing < 1_000);
});

test('a marked serial number is positive, has 19 octets, and carries the mark of its CA and its key alone', async () => {
  const key = Buffer.alloc(32, 1);
  const other = await root();
  fc.assert(
    fc.property(
      fc.uint8Array({ minLength: 12, maxLength: 12 }),
      fc.nat(18),
      fc.integer({ min: 1, max: 255 }),
      (random, at, change) => {
        const serial = markedSerial(random, ca.certificate, key);
        assert.is(serial.length, 19);
        assert.ok((serial[0] ?? 0) >= 0x40 && (serial[0] ?? 0) < 0x80);
        const hex = serial.toString('hex');
        assert.ok(isMarkedSerial(hex, ca.certificate, key));
        assert.not(isMarkedSerial(hex, other.certificate, key));
        assert.not(isMarkedSerial(hex, ca.certificate, Buffer.alloc(32, 2)));
        serial[at] = (serial[at] ?? 0) ^ change;
        assert.not(isMarkedSerial(serial.toString('hex'), ca.certificate, key));
      },
    ),
    { seed },
  );
  for (const none of ['', '01', 'ab'.repeat(20)]) assert.not(isMarkedSerial(none, ca.certificate, key));
  const { certificate } = await leaf(ca, { serialNumber: markedSerial(Buffer.alloc(12), ca.certificate, key) });
  assert.ok(isMarkedSerial(certificate.serialNumber, ca.certificate, key));
  const { out } = openssl(['x509', '-in', '{leaf}', '-noout', '-serial'], { leaf: certificate.pem });
  assert.is(out.trim().toLowerCase(), `serial=${certificate.serialNumber}`);
});

test.run();

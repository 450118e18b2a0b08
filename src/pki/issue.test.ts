import { createHash, randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { ALL_KEYS, describe, hoursFromNow, leaf, NOW, root, serial, signIntermediate } from '../../test/pki/make.ts';
import { writeCertificate } from '../../test/pki/write-certificate.ts';
import { thrownBy } from '../../test/unit/thrown-by.ts';
import { children, readElement } from './asn1/read.ts';
import { TAG } from './asn1/write.ts';
import { parseCertificate } from './certificate.ts';
import { keyIdOf, subjectKeyIdExtension } from './extensions.ts';
import { makeRoot, newSerialNumber } from './issue.ts';
import { generateKey, publicKeyDer } from './keys.ts';
import { NO_NAMES } from './san.ts';
import { isSelfSigned } from './signed-by.ts';
import { signerOf } from './signer.ts';

const ca = await root();
const holders = await Promise.all(
  ALL_KEYS.map(async (spec) => ({ spec, ca: await root({ keySpec: spec }), key: await generateKey(spec) })),
);
const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex');

function fieldsOf(der: Buffer) {
  const [tbs, algorithm, signature] = children(readElement(der, TAG.sequence, 'certificate'));
  assert.ok(tbs && algorithm && signature);
  const [version, serialNumber, tbsAlgorithm, issuer, validity, subject, publicKey, extensions] = children(tbs);
  assert.ok(version && serialNumber && tbsAlgorithm && issuer && validity && subject && publicKey && extensions);
  const list = children(extensions)[0];
  assert.ok(list);
  return {
    version,
    serialNumber,
    tbsAlgorithm,
    algorithm,
    issuer,
    validity,
    subject,
    extensions: children(list).map(({ bytes }) => hex(bytes)),
  };
}

test('a leaf is v3, names one algorithm twice and its issuer byte for byte', async () => {
  const { certificate } = await leaf(ca);
  const fields = fieldsOf(certificate.der);
  assert.is(hex(fields.version.bytes), 'a003020102');
  assert.is(hex(fields.tbsAlgorithm.bytes), hex(fields.algorithm.bytes));
  assert.is(hex(fields.issuer.bytes), hex(ca.certificate.subjectDer));
});

test('an issuer name in an unusual encoding is copied as it is', async () => {
  // O as TeletexString, CN before O: nothing that our own writer would produce.
  const odd = Buffer.from('3019310a300806035504030c0161310b3009060355040a14024fdc', 'hex');
  const key = await generateKey({ algorithm: 'ECDSA', size: 256 });
  const { certificate } = await signIntermediate(ca, { key });
  const { certificate: client } = await leaf({ certificate: { ...certificate, subjectDer: odd }, key });
  assert.is(hex(fieldsOf(client.der).issuer.bytes), hex(odd));
});

test('the extensions of a leaf are these bytes, and no others', async () => {
  const { certificate } = await leaf(ca, { names: { ...NO_NAMES, dnsNames: ['a.b'] } });
  assert.equal(fieldsOf(certificate.der).extensions, [
    // basicConstraints, critical, an empty SEQUENCE: cA has its default.
    '300c0603551d130101ff04023000',
    // keyUsage, critical: digitalSignature, seven unused bits.
    '300e0603551d0f0101ff040403020780',
    // extKeyUsage, not critical: clientAuth.
    '30130603551d25040c300a06082b06010505070302',
    `301d0603551d0e04160414${certificate.subjectKeyId}`,
    `301f0603551d23041830168014${ca.certificate.subjectKeyId}`,
    // subjectAltName, not critical, since the subject says something.
    '300e0603551d1104073005' + '8203612e62',
  ]);
});

test('the alternative name is critical if and only if the subject is empty', async () => {
  const { certificate } = await leaf(ca, { subject: {}, names: { ...NO_NAMES, dnsNames: ['a.b'] } });
  assert.is(hex(fieldsOf(certificate.der).subject.bytes), '3000');
  assert.is(fieldsOf(certificate.der).extensions.at(-1), '30110603551d110101ff040730058203612e62');
});

test('empty extensions are left out', async () => {
  const { certificate } = await leaf(ca, { usages: [] });
  assert.is(fieldsOf(certificate.der).extensions.length, 3);
});

test('key ids are the leftmost 160 bits of the SHA-256 of the key bits', async () => {
  const { certificate } = await leaf(ca);
  const bits = certificate.publicKeyDer.subarray(-65);
  assert.is(certificate.subjectKeyId, createHash('sha256').update(bits).digest('hex').slice(0, 40));
});

test('the authority key id is what the CA calls its key, or made from the key where it has no name', async () => {
  const key = await generateKey({ algorithm: 'ECDSA', size: 256 });
  const odd = writeCertificate({
    notBefore: hoursFromNow(-1),
    notAfter: hoursFromNow(1000),
    serialNumber: serial(),
    issuerDer: ca.certificate.subjectDer,
    subjectDer: ca.certificate.subjectDer,
    publicKeyDer: publicKeyDer(key),
    extensions: [Buffer.from('300f0603551d130101ff040530030101ff', 'hex'), subjectKeyIdExtension(Buffer.of(1, 2, 3))],
    signingKey: key,
  });
  const certificate = parseCertificate(odd);
  assert.is((await leaf({ certificate, key })).certificate.authorityKeyId, '010203');
  const nameless = { certificate: { ...certificate, subjectKeyId: undefined }, key };
  assert.is((await leaf(nameless)).certificate.authorityKeyId, hex(keyIdOf(publicKeyDer(key))));
});

test('signature algorithms have the parameters that each wants', async () => {
  const wanted: Record<string, string> = {
    'ECDSA 256': '300a06082a8648ce3d040302',
    'ECDSA 384': '300a06082a8648ce3d040303',
    'ECDSA 521': '300a06082a8648ce3d040304',
    Ed25519: '300506032b6570',
    'RSA 2048': '300d06092a864886f70d01010b0500',
  };
  for (const holder of holders) {
    const { certificate } = await leaf(holder.ca);
    assert.is(hex(fieldsOf(certificate.der).algorithm.bytes), wanted[describe(holder.spec)]);
  }
});

test('validity is in whole seconds, UTCTime through 2049 and GeneralizedTime from 2050', async () => {
  const old = await root({ notAfter: new Date('2060-01-01T00:00:00Z') });
  const { certificate } = await leaf(old, {
    notBefore: new Date('2049-12-31T23:59:59.999Z'),
    notAfter: new Date('2050-01-01T00:00:00.001Z'),
  });
  const text = fieldsOf(certificate.der).validity.content.toString('latin1');
  assert.is(text, '\x17\x0d491231235959Z\x18\x0f20500101000000Z');
});

test('serial numbers are positive, 16 octets long and keep 126 random bits', () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 16, maxLength: 16 }), (random) => {
      const made = newSerialNumber(random);
      assert.is(made.length, 16);
      assert.is((made[0] ?? 0) >> 6, 1);
      assert.is(hex(made.subarray(1)), hex(random.subarray(1)));
    }),
  );
  assert.throws(() => newSerialNumber(randomBytes(15)), /16 are needed/);
});

test('a serial number comes back as it was given', async () => {
  const serialNumber = serial();
  const { certificate } = await leaf(ca, { serialNumber });
  assert.is(certificate.serialNumber, hex(serialNumber));
});

test('a request that must not be signed is refused', async () => {
  const client = await leaf(ca);
  const refused = (options: Parameters<typeof leaf>[1], holder = ca) =>
    leaf(holder, options).then(
      () => 'signed',
      (error) => error.message,
    );
  assert.match(await refused({ notAfter: new Date(ca.certificate.notAfter.getTime() + 1) }), 'its CA ends at');
  assert.match(await refused({ notAfter: hoursFromNow(-2) }), 'ends before it begins');
  assert.match(await refused({ notBefore: new Date(Number.NaN) }), 'ends before it begins');
  assert.match(await refused({ subject: {} }), 'without any name');
  assert.match(await refused({ subject: { commonName: 'a'.repeat(65) } }), 'at most 64');
  assert.match(await refused({ names: { ...NO_NAMES, dnsNames: ['a b'] } }), 'no DNS name');
  assert.match(await refused({ usages: ['client auth', 'cert sign'] }), 'neither certificates nor CRLs');
  assert.match(await refused({ usages: ['made up'] }), 'unknown usage');
  assert.match(await refused({ serialNumber: Buffer.alloc(16) }), 'serial number');
  assert.match(await refused({ serialNumber: Buffer.alloc(20, 0xff) }), 'serial number');
  assert.match(await refused({ serialNumber: Buffer.alloc(21, 1) }), 'serial number');
  assert.match(await refused({ publicKeyDer: Buffer.from('3000', 'hex') }), 'public key');
  assert.match(await refused({}, client), 'is not a CA');
});

test('a root is a CA by critical constraints and key usage, names its key and no issuer key', async () => {
  assert.equal(fieldsOf(ca.certificate.der).extensions, [
    '300f0603551d130101ff040530030101ff',
    '300e0603551d0f0101ff040403020106',
    `301d0603551d0e04160414${ca.certificate.subjectKeyId}`,
  ]);
  assert.ok(isSelfSigned(ca.certificate));
  const request = { signer: signerOf(ca.key), notBefore: NOW, notAfter: hoursFromNow(1), serialNumber: serial() };
  assert.match(String(await thrownBy(makeRoot({ ...request, subject: {} }))), /without a subject/);
  const ended = makeRoot({ ...request, subject: { commonName: 'a' }, notAfter: NOW });
  assert.match(String(await thrownBy(ended)), /ends before/);
});

test.run();

import { createPublicKey, randomBytes, randomInt, sign } from 'node:crypto';
import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { ALL_KEYS, describe, P256 } from '../../test/pki/make.ts';
import { openssl } from '../../test/pki/openssl.ts';
import { bitString, integer, oid, sequence, set, tlv } from './asn1/write.ts';
import { missingName, uncoveredName } from './covered-names.ts';
import { CSR_LABEL, makeCsr } from './csr.ts';
import { encodePrivateKey, generateKey, type PrivateKey, publicKeyDer, publicKeyPin } from './keys.ts';
import { encodeName } from './name.ts';
import { toPem } from './pem.ts';
import { readCsr } from './read-csr.ts';
import { NO_NAMES } from './san.ts';
import { algorithmIdentifierFor, signBytes } from './signature.ts';
import { x509 } from './x509.ts';

const NAMES = {
  dnsNames: ['a.example'],
  uris: ['spiffe://td.example/a'],
  emailAddresses: ['a@example.com'],
  ipAddresses: ['2001:db8::1'],
};
const SUBJECT = { commonName: 'Jürgen', organizations: ['Partner', 'a,O=b'] };
const pemOf = (der: Uint8Array) => toPem(CSR_LABEL, der);
const key = await generateKey(P256);

/** A request by openssl of that key. */
function byOpenssl(pem: string, ...args: readonly string[]): string {
  const command = ['req', '-new', '-key', '{key}', '-subj', '/CN=client', ...args];
  const { ok, out, text } = openssl(command, { key: pem });
  assert.ok(ok, text);
  return out;
}

function keyByOpenssl(...args: readonly string[]): string {
  const { ok, out, text } = openssl(['genpkey', ...args]);
  assert.ok(ok, text);
  return out;
}

for (const spec of ALL_KEYS)
  test(`a request with an ${describe(spec)} key is read as openssl and @peculiar/x509 read it`, async () => {
    const made = await generateKey(spec);
    const der = makeCsr({ key: made, subject: SUBJECT, names: NAMES, usages: ['client auth'] });
    const read = readCsr(pemOf(der));
    assert.equal(read.keySpec, spec);
    assert.equal([read.subject, read.names], [SUBJECT, NAMES]);
    assert.equal([read.isCA, read.foreignNames, read.foreignAttributes], [false, [], []]);
    assert.is(read.publicKeyPin, publicKeyPin(publicKeyDer(made)));
    const oracle = new x509.Pkcs10CertificateRequest(der);
    assert.ok(await oracle.verify());
    assert.ok(publicKeyDer(read.publicKey).equals(Buffer.from(oracle.publicKey.rawData)));
    const fromOpenssl = readCsr(byOpenssl(encodePrivateKey(made, 'PKCS8'), '-addext', 'subjectAltName=DNS:b.example'));
    assert.equal(fromOpenssl.names, { ...NO_NAMES, dnsNames: ['b.example'] });
    assert.equal(fromOpenssl.subject, { commonName: 'client' });
  });

test('text around the one block is skipped, and the other label of RFC 7468 is read', () => {
  const der = makeCsr({ key, subject: SUBJECT, names: NO_NAMES, usages: [] });
  assert.equal(readCsr(`Certificate Request:\n    Data: …\n${pemOf(der)}\n`).subject, SUBJECT);
  assert.equal(readCsr(toPem('NEW CERTIFICATE REQUEST', der)).subject, SUBJECT);
});

test('bytes that are changed anywhere make a request that is refused, as openssl refuses it', () => {
  const der = makeCsr({ key, subject: SUBJECT, names: NAMES, usages: ['client auth'] });
  const seed = randomInt(2 ** 31);
  console.log(`# seed ${seed}`);
  let compared = 0;
  fc.assert(
    fc.property(fc.nat(der.length - 1), fc.integer({ min: 1, max: 255 }), (at, change) => {
      const spoilt = Buffer.from(der);
      spoilt.writeUInt8(spoilt.readUInt8(at) ^ change, at);
      assert.throws(() => readCsr(pemOf(spoilt)), `byte ${at}`);
      // The oracle is a process of its own.
      if (compared++ > 20) return;
      const { ok, text } = openssl(['req', '-in', '{csr}', '-noout', '-verify'], { csr: pemOf(spoilt) });
      assert.ok(!ok || /verify failure|error/i.test(text), text);
    }),
    { seed, numRuns: 500 },
  );
});

test('a signature by another key is no proof that the client has its own', async () => {
  const other = await generateKey(P256);
  const info = sequence(integer(0), encodeName(SUBJECT), publicKeyDer(key), tlv(0xa0));
  const forged = sequence(info, algorithmIdentifierFor(P256), bitString(signBytes(info, other)));
  assert.throws(() => readCsr(pemOf(forged)), /was not made with its own key/);
  // Another kind of key must not choose the scheme.
  const ed25519 = await generateKey({ algorithm: 'Ed25519' });
  const mixed = sequence(info, algorithmIdentifierFor({ algorithm: 'Ed25519' }), bitString(signBytes(info, ed25519)));
  assert.throws(() => readCsr(pemOf(mixed)), /was not made with its own key/);
});

const REFUSED: Readonly<Record<string, readonly [() => string, RegExp]>> = {
  'SHA-1': [
    () => byOpenssl(keyByOpenssl('-algorithm', 'RSA', '-pkeyopt', 'rsa_keygen_bits:2048'), '-sha1'),
    /broken algorithm sha1WithRSAEncryption; make another one/,
  ],
  'RSA of 1024 bits': [
    () => byOpenssl(keyByOpenssl('-algorithm', 'RSA', '-pkeyopt', 'rsa_keygen_bits:1024')),
    /an RSA key of 1024 bits; sizes from 2048 to 4096 are possible/,
  ],
  'RSA of 8192 bits': [() => withSpki(rsaSpki(8192)), /an RSA key of 8192 bits/],
  'RSA with the exponent 3': [
    () =>
      byOpenssl(
        keyByOpenssl('-algorithm', 'RSA', '-pkeyopt', 'rsa_keygen_bits:2048', '-pkeyopt', 'rsa_keygen_pubexp:3'),
      ),
    /the public exponent 3/,
  ],
  'a curve that is not supported': [
    () => byOpenssl(keyByOpenssl('-algorithm', 'EC', '-pkeyopt', 'ec_paramgen_curve:secp256k1')),
    /a key of an unsupported kind/,
  ],
  'explicit parameters of a curve': [
    () =>
      byOpenssl(
        keyByOpenssl('-algorithm', 'EC', '-pkeyopt', 'ec_paramgen_curve:P-256', '-pkeyopt', 'ec_param_enc:explicit'),
      ),
    /a key of an unsupported kind/,
  ],
  Ed448: [() => byOpenssl(keyByOpenssl('-algorithm', 'ED448')), /a key of an unsupported kind/],
  'a compressed point': [() => byOpenssl(compressed()), /not in the usual form, such as a compressed point/],
  'a point that is not on the curve': [() => withSpki(offCurve()), /its public key is unreadable/],
  'two lists of extensions': [
    () => withAttributes(extensionRequest('1.2.840.113549.1.9.14'), extensionRequest('1.3.6.1.4.1.311.2.1.14')),
    /more than one list of extensions/,
  ],
  'a private key': [() => encodePrivateKey(key, 'PKCS8'), /it holds a private key, which belongs to the client alone/],
  'an encrypted private key': [
    () => '-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\n\nAAAA\n-----END RSA PRIVATE KEY-----\n',
    /it holds a private key/,
  ],
  'a certificate': [() => toPem('CERTIFICATE', Buffer.from([0x30, 0])), /CERTIFICATE where a CERTIFICATE REQUEST/],
  'two requests': [() => `${withAttributes()}${withAttributes()}`, /it has 2 PEM blocks, where one request belongs/],
  'no PEM': [() => randomBytes(2_000).toString('latin1').replaceAll('-', ''), /it has no PEM block/],
  'too much': [() => `${withAttributes()}${'x'.repeat(33_000)}`, /PEM over 32768 bytes/],
  'another version': [() => withSpki(publicKeyDer(key), 1), /a request of another version than 1/],
};

for (const [what, [make, says]] of Object.entries(REFUSED))
  test(`a request is refused with ${what}, and the message quotes nothing of it`, () => {
    let message = '';
    try {
      readCsr(make());
    } catch (error) {
      message = (error as Error).message;
    }
    assert.match(message, says);
    assert.ok(message.length < 300);
  });

test('a request that asks to be a CA is read, and says so', () => {
  const asked = byOpenssl(encodePrivateKey(key, 'PKCS8'), '-addext', 'basicConstraints=critical,CA:TRUE');
  assert.is(readCsr(asked).isCA, true);
});

const FURTHER: Readonly<Record<string, string>> = {
  'certificatePolicies=1.2.3.4': 'extension 2.5.29.32',
  'nameConstraints=critical,permitted;DNS:a.example': 'extension 2.5.29.30',
  'subjectInfoAccess=caRepository;URI:https://a.example/': 'extension 1.3.6.1.5.5.7.1.11',
  // By which Vault's certificate login, Teleport and others decide what the holder may do.
  '1.3.6.1.4.1.99999.1=ASN1:UTF8String:admin': 'extension 1.3.6.1.4.1.99999.1',
  // Microsoft's name of a template.
  '1.3.6.1.4.1.311.20.2=ASN1:BMPString:SubCA': 'extension 1.3.6.1.4.1.311.20.2',
};

test('what a CA could copy is told, as openssl copies it; of the usual extensions nothing is', () => {
  const pem = encodePrivateKey(key, 'PKCS8');
  const usual = ['subjectAltName=DNS:a.example', 'keyUsage=digitalSignature', 'extendedKeyUsage=clientAuth'];
  const plain = [...usual, 'basicConstraints=CA:FALSE', 'subjectKeyIdentifier=hash'];
  assert.equal(readCsr(byOpenssl(pem, ...plain.flatMap((each) => ['-addext', each]))).furtherWishes, []);
  const ca = byOpenssl(pem, '-x509', '-addext', 'keyUsage=critical,keyCertSign');
  for (const [extension, wish] of Object.entries(FURTHER)) {
    const csr = byOpenssl(pem, '-addext', extension);
    assert.equal(readCsr(csr).furtherWishes, [wish], extension);
    const command = ['x509', '-req', '-in', '{csr}', '-CA', '{ca}', '-CAkey', '{key}', '-copy_extensions', 'copy'];
    const { out, text } = openssl(command, { csr, ca, key: pem });
    const der = Buffer.from(out.replaceAll(/-----[^-]+-----|\s/g, ''), 'base64');
    assert.ok(der.includes(oid(wish.split(' ')[1] ?? '')), `${extension}: ${text}`);
  }
  const pairs = sequence(oid('1.3.6.1.4.1.311.13.2.1'), set(sequence()));
  assert.equal(readCsr(withAttributes(pairs)).furtherWishes, ['attribute 1.3.6.1.4.1.311.13.2.1']);
});

test('the names of an identity cover those of a request, in any spelling and order', () => {
  const der = makeCsr({ key, subject: SUBJECT, names: { ...NAMES, dnsNames: ['A.Example'] }, usages: [] });
  const read = readCsr(pemOf(der));
  const identity = { subject: { ...SUBJECT, organizations: ['a,O=b', 'Partner'] }, names: NAMES };
  assert.equal([uncoveredName(read, identity), missingName(read, identity)], [undefined, undefined]);
  const less = { ...identity, names: { ...NAMES, uris: [] } };
  assert.equal(uncoveredName(read, less), { field: 'uris', value: 'spiffe://td.example/a' });
  const more = { ...identity, subject: { ...identity.subject, countries: ['DE'] } };
  assert.equal(missingName(read, more), { field: 'subject.countries', value: 'DE' });
  assert.is(uncoveredName(read, more), undefined);
});

test('names that no spec can have are never covered', () => {
  const pem = encodePrivateKey(key, 'PKCS8');
  const other = readCsr(byOpenssl(pem, '-addext', 'subjectAltName=otherName:1.3.6.1.4.1.311.20.2.3;UTF8:admin@corp'));
  assert.equal(uncoveredName(other, { subject: { commonName: 'client' }, names: NO_NAMES }), {
    field: 'subject alternative names',
    value: 'otherName',
  });
  const second = readCsr(byOpenssl(pem, '-subj', '/CN=client/CN=admin'));
  assert.equal(uncoveredName(second, { subject: { commonName: 'client' }, names: NO_NAMES }), {
    field: 'subject',
    value: 'CN=admin',
  });
});

function withSpki(spki: Buffer, version = 0): string {
  const info = sequence(integer(version), encodeName(SUBJECT), spki, tlv(0xa0));
  return signed(info, key);
}

function withAttributes(...attributes: readonly Buffer[]): string {
  return signed(sequence(integer(0), encodeName(SUBJECT), publicKeyDer(key), tlv(0xa0, ...attributes)), key);
}

function signed(info: Buffer, by: PrivateKey): string {
  return pemOf(sequence(info, algorithmIdentifierFor(P256), bitString(sign('sha256', info, by))));
}

function extensionRequest(type: string): Buffer {
  return sequence(oid(type), set(sequence()));
}

function rsaSpki(bits: number): Buffer {
  const modulus = Buffer.concat([Buffer.from([0, 0x80]), randomBytes(bits / 8 - 1)]);
  const rsa = sequence(tlv(2, modulus), integer(65_537));
  return sequence(sequence(oid('1.2.840.113549.1.1.1'), tlv(5)), bitString(rsa));
}

function offCurve(): Buffer {
  const spki = Buffer.from(publicKeyDer(key));
  spki.writeUInt8(spki.readUInt8(spki.length - 1) ^ 1, spki.length - 1);
  assert.throws(() => createPublicKey({ key: spki, format: 'der', type: 'spki' }));
  return spki;
}

function compressed(): string {
  const { ok, out, text } = openssl(['ec', '-in', '{key}', '-conv_form', 'compressed'], {
    key: encodePrivateKey(key, 'PKCS8'),
  });
  assert.ok(ok, text);
  return out;
}

test.run();

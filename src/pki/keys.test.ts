import { type createPrivateKey, generateKeyPairSync, hash } from 'node:crypto';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { ALL_KEYS, describe } from '../../test/pki/make.ts';
import { openssl } from '../../test/pki/openssl.ts';
import { cpuMs } from '../../test/unit/cpu.ts';
import { integer, octetString, sequence, TAG, tlv } from './asn1/write.ts';
import * as keys from './keys.ts';
import { EncryptedPemError, toPem } from './pem.ts';

const p256 = await keys.generateKey({ algorithm: 'ECDSA', size: 256 });

for (const spec of ALL_KEYS) {
  test(`${describe(spec)} keys are what was asked for, in every encoding that they have`, async () => {
    const key = await keys.generateKey(spec);
    assert.equal(keys.keySpecOf(key), spec);
    assert.equal(keys.keySpecOfPublicKey(keys.publicKeyDer(key)), spec);
    for (const encoding of spec.algorithm === 'Ed25519' ? (['PKCS8'] as const) : (['PKCS8', 'PKCS1'] as const)) {
      const pem = keys.encodePrivateKey(key, encoding);
      assert.ok(keys.parsePrivateKey(pem).equals(key));
      assert.ok(openssl(['pkey', '-in', '{key}', '-noout', '-check'], { key: pem }).ok);
    }
  });
}

test('PKCS1 means the own format of each algorithm, and Ed25519 has none', async () => {
  const rsa = await keys.generateKey({ algorithm: 'RSA', size: 2048 });
  const ed25519 = await keys.generateKey({ algorithm: 'Ed25519' });
  assert.match(keys.encodePrivateKey(rsa, 'PKCS1'), '-----BEGIN RSA PRIVATE KEY-----');
  assert.match(keys.encodePrivateKey(p256, 'PKCS1'), '-----BEGIN EC PRIVATE KEY-----');
  assert.throws(() => keys.encodePrivateKey(ed25519, 'PKCS1'), /no PKCS1 encoding/);
});

test('every key is a new one', async () => {
  const other = await keys.generateKey({ algorithm: 'ECDSA', size: 256 });
  assert.not.equal(keys.publicKeyDer(other).toString('hex'), keys.publicKeyDer(p256).toString('hex'));
});

test('an RSA size out of range is refused', async () => {
  for (const size of [1024, 2046, 2049, 4098, 2048.5, Number.NaN, Number.POSITIVE_INFINITY]) {
    const made = keys.generateKey({ algorithm: 'RSA', size });
    assert.match(
      await made.then(
        () => 'made',
        (error) => error.message,
      ),
      'from 2048 to 4096',
    );
  }
});

test('EC keys are made while RSA keys wait', async () => {
  const order: string[] = [];
  const rsa = Array.from({ length: 4 }, () =>
    keys.generateKey({ algorithm: 'RSA', size: 2048 }).then(() => order.push('RSA')),
  );
  await keys.generateKey({ algorithm: 'ECDSA', size: 256 }).then(() => order.push('EC'));
  await Promise.all(rsa);
  assert.equal(order, ['EC', 'RSA', 'RSA', 'RSA', 'RSA']);
});

test('encrypted keys are refused by name', () => {
  const passphrase = 'secret';
  const pkcs8 = p256.export({ type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase }).toString();
  const sec1 = p256.export({ type: 'sec1', format: 'pem', cipher: 'aes-256-cbc', passphrase }).toString();
  for (const pem of [pkcs8, sec1])
    assert.throws(
      () => keys.parsePrivateKey(pem),
      (error: unknown) => error instanceof EncryptedPemError,
    );
});

test('weak and unsupported keys are refused', () => {
  const pemOf = (key: ReturnType<typeof createPrivateKey>) => key.export({ type: 'pkcs8', format: 'pem' }).toString();
  const cases: [ReturnType<typeof createPrivateKey>, RegExp][] = [
    [generateKeyPairSync('rsa', { modulusLength: 1024 }).privateKey, /RSA key of 1024 bits/],
    [generateKeyPairSync('rsa', { modulusLength: 2048, publicExponent: 3 }).privateKey, /public exponent 3/],
    [generateKeyPairSync('rsa-pss', { modulusLength: 2048 }).privateKey, /unsupported type rsa-pss/],
    [generateKeyPairSync('ec', { namedCurve: 'secp256k1' }).privateKey, /unsupported curve secp256k1/],
    [generateKeyPairSync('ec', { namedCurve: 'P-224' }).privateKey, /unsupported curve secp224r1/],
    [generateKeyPairSync('x25519').privateKey, /unsupported type x25519/],
    [generateKeyPairSync('ed448').privateKey, /unsupported type ed448/],
  ];
  for (const [key, message] of cases) assert.throws(() => keys.parsePrivateKey(pemOf(key)), message);
});

test('a DSA or Diffie-Hellman key is refused before its public half is computed', () => {
  // The numbers are odd, or OpenSSL refuses them without an attempt.
  const number = integer(Buffer.alloc(1_100, 0x7d));
  const parameters = sequence(number, number, number);
  for (const oid of ['2a8648ce380401', '2b0e03020c', '2a864886f70d010301', '2a8648ce3e0201']) {
    const algorithm = sequence(tlv(TAG.oid, Buffer.from(oid, 'hex')), parameters);
    const pem = toPem('PRIVATE KEY', sequence(integer(0), algorithm, octetString(number)));
    const ms = cpuMs(() => assert.throws(() => keys.parsePrivateKey(pem), /unsupported type/));
    assert.ok(ms < 20, `${oid}: ${ms} ms`);
  }
});

test('a SEC1 file with the curve in front is read', () => {
  const { text } = openssl(['ecparam', '-name', 'prime256v1', '-genkey']);
  assert.match(text, 'BEGIN EC PARAMETERS');
  assert.equal(keys.keySpecOf(keys.parsePrivateKey(text)), { algorithm: 'ECDSA', size: 256 });
});

test('anything but a single private key is refused, with a message that quotes nothing of the input', () => {
  const pem = keys.encodePrivateKey(p256, 'PKCS8');
  const broken = p256.export({ type: 'pkcs8', format: 'der' });
  broken.fill(0xff, 20, 60);
  const cases: [string, RegExp][] = [
    ['', /no private keys/],
    [pem + pem, /2 private keys/],
    [toPem('CERTIFICATE', Buffer.from('x')), /CERTIFICATE where/],
    [toPem('PUBLIC KEY', keys.publicKeyDer(p256)), /PUBLIC KEY where/],
    [toPem('CONSTRUCTOR', Buffer.from('x')), /where a private key belongs/],
    [toPem('PRIVATE KEY', broken), /^the private key is unreadable$/],
    [`${pem}trailing`, /outside/],
    [' '.repeat(14_000), /over 13000 bytes/],
  ];
  for (const [text, message] of cases) {
    assert.throws(
      () => keys.parsePrivateKey(text),
      (error: Error) => message.test(error.message) && error.cause === undefined,
    );
  }
});

test('the pin is the base64 SHA-256 of the SubjectPublicKeyInfo', () => {
  const spki = keys.publicKeyDer(p256);
  assert.is(keys.publicKeyPin(spki), hash('sha256', spki, 'base64'));
  assert.is(keys.publicKeyPin(spki).length, 44);
});

test('the size of an RSA key is counted in bits, and kinds that are not known have no spec', () => {
  const rsa = generateKeyPairSync('rsa', { modulusLength: 2050 }).publicKey;
  assert.is(rsa.asymmetricKeyDetails?.modulusLength, 2050);
  assert.equal(keys.keySpecOfPublicKey(keys.publicKeyDer(rsa)), { algorithm: 'RSA', size: 2050 });
  const p224 = generateKeyPairSync('ec', { namedCurve: 'P-224' }).publicKey;
  assert.is(keys.keySpecOfPublicKey(keys.publicKeyDer(p224)), undefined);
});

test.run();

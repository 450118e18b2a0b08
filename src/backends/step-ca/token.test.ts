import { createHash, generateKeyPairSync, type KeyObject, verify } from 'node:crypto';
import { calculateJwkThumbprint, type JWK } from 'jose';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { oneTimeToken, readProvisionerKey, thumbprintOf } from './token.ts';

const NOW = new Date('2026-06-01T12:00:00.700Z');
const CLAIMS = {
  issuer: 'certwheel',
  audience: 'https://ca.example.com/1.0/sign',
  subject: 'alice',
  sans: ['alice.example.com'],
  rootFingerprint: 'ab'.repeat(32),
  csr: Buffer.from('request'),
};

const KEYS: Readonly<Record<string, { pair: () => { privateKey: KeyObject; publicKey: KeyObject }; alg: string }>> = {
  'P-256': { pair: () => generateKeyPairSync('ec', { namedCurve: 'P-256' }), alg: 'ES256' },
  'P-384': { pair: () => generateKeyPairSync('ec', { namedCurve: 'P-384' }), alg: 'ES384' },
  'P-521': { pair: () => generateKeyPairSync('ec', { namedCurve: 'P-521' }), alg: 'ES512' },
  Ed25519: { pair: () => generateKeyPairSync('ed25519'), alg: 'EdDSA' },
  RSA: { pair: () => generateKeyPairSync('rsa', { modulusLength: 2048 }), alg: 'RS256' },
};

for (const [name, { pair, alg }] of Object.entries(KEYS)) {
  test(`a token by a key of type ${name} verifies, and says what it is for`, async () => {
    const { privateKey, publicKey } = pair();
    const key = readProvisionerKey({ ...privateKey.export({ format: 'jwk' }), kid: 'the-kid' });
    const [header = '', payload = '', signature = ''] = (await oneTimeToken(key, CLAIMS, NOW)).split('.');
    assert.equal(decode(header), { alg, kid: 'the-kid', typ: 'JWT' });
    const { jti, ...claims } = decode(payload);
    const issuedAt = Math.floor(NOW.getTime() / 1000);
    assert.equal(claims, {
      iss: 'certwheel',
      aud: CLAIMS.audience,
      sub: 'alice',
      sans: ['alice.example.com'],
      sha: CLAIMS.rootFingerprint,
      cnf: { 'x5rt#S256': createHash('sha256').update('request').digest('base64url') },
      iat: issuedAt,
      nbf: issuedAt,
      exp: issuedAt + 300,
    });
    assert.ok(jti);
    const digest = alg === 'EdDSA' ? null : `sha${alg.slice(2)}`;
    const content = Buffer.from(`${header}.${payload}`);
    const verifier = { key: publicKey, dsaEncoding: 'ieee-p1363' as const };
    assert.ok(verify(digest, content, verifier, Buffer.from(signature, 'base64url')));
  });
}

test('a token by the key of a certificate holds the chain, and no id of a key', async () => {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const token = await oneTimeToken({ key: privateKey, x5c: ['TGVhZg==', 'Q0E='] }, CLAIMS, NOW);
  assert.equal(decode(token.split('.')[0] ?? ''), { alg: 'ES256', x5c: ['TGVhZg==', 'Q0E='], typ: 'JWT' });
});

test('no two tokens are the same', async () => {
  const key = readProvisionerKey(generateKeyPairSync('ed25519').privateKey.export({ format: 'jwk' }));
  assert.is.not(await oneTimeToken(key, CLAIMS, NOW), await oneTimeToken(key, CLAIMS, NOW));
});

test('the thumbprint is that of RFC 7638, section 3.1', () => {
  const n =
    '0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw';
  assert.is(
    thumbprintOf({ kty: 'RSA', n, e: 'AQAB', alg: 'RS256', kid: '2011-04-29' }),
    'NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs',
  );
});

for (const [name, { pair }] of Object.entries(KEYS))
  test(`the thumbprint of a key of type ${name} is the one that jose calculates`, async () => {
    const jwk = pair().privateKey.export({ format: 'jwk' });
    assert.is(thumbprintOf(jwk), await calculateJwkThumbprint(jwk as JWK));
  });

test('without a kid the thumbprint stands in for it, as step has it', () => {
  const jwk = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({ format: 'jwk' });
  assert.is(readProvisionerKey(jwk).kid, thumbprintOf(jwk));
});

const { d: _, ...publicJwk } = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({ format: 'jwk' });
const NO_KEYS: Readonly<Record<string, unknown>> = {
  'a public key': publicJwk,
  'a symmetric key': { kty: 'oct', k: 'secret' },
  'a key without a point': { kty: 'EC', crv: 'P-256', x: 'AA', y: 'AA', d: 'c2VjcmV0' },
  'a kind that every object has': { kty: 'constructor', d: 'secret' },
  'a text': 'secret',
  nothing: null,
};
for (const [name, jwk] of Object.entries(NO_KEYS)) {
  test(`${name} is no provisioner's key, and is not quoted`, () => {
    assert.throws(
      () => readProvisionerKey(jwk),
      (error: Error) => /it is no (valid )?private key/.test(error.message) && !error.message.includes('secret'),
    );
  });
}

test('a key that takes long to sign with is none', () => {
  const jwk = generateKeyPairSync('rsa', { modulusLength: 4_352 }).privateKey.export({ format: 'jwk' });
  assert.throws(() => readProvisionerKey(jwk), /more than 4096 bits/);
});

function decode(part: string) {
  return JSON.parse(Buffer.from(part, 'base64url').toString());
}

test.run();

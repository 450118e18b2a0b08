import { createPublicKey } from 'node:crypto';
import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { ALL_KEYS, describe } from '../../test/pki/make.ts';
import { openssl } from '../../test/pki/openssl.ts';
import { keyMatches, pemMatches } from './key-match.ts';
import * as keys from './keys.ts';
import { parsePem, toPem } from './pem.ts';

const p256 = await keys.generateKey({ algorithm: 'ECDSA', size: 256 });
const stranger = keys.publicKeyDer(await keys.generateKey({ algorithm: 'ECDSA', size: 256 }));

test('a key matches its own public key in whatever encoding, and no other', async () => {
  const spki = keys.publicKeyDer(p256);
  const jwk = createPublicKey(p256).export({ format: 'jwk' });
  const y = Buffer.from(jwk.y ?? '', 'base64url');
  const point = Buffer.concat([Buffer.of((y.at(-1) ?? 0) % 2 === 0 ? 2 : 3), Buffer.from(jwk.x ?? '', 'base64url')]);
  const compressed = Buffer.concat([Buffer.from('3039301306072a8648ce3d020106082a8648ce3d030107032200', 'hex'), point]);
  assert.ok(keyMatches(spki, p256));
  assert.ok(keyMatches(compressed, p256));
  assert.not.ok(keyMatches(spki, await keys.generateKey({ algorithm: 'ECDSA', size: 256 })));
  assert.not.ok(keyMatches(spki, await keys.generateKey({ algorithm: 'Ed25519' })));
  assert.not.ok(keyMatches(Buffer.from('3000', 'hex'), p256));
});

for (const spec of ALL_KEYS) {
  test(`a ${describe(spec)} key in PEM matches its own public key and no other, in every encoding`, async () => {
    const key = await keys.generateKey(spec);
    for (const encoding of spec.algorithm === 'Ed25519' ? (['PKCS8'] as const) : (['PKCS8', 'PKCS1'] as const)) {
      const pem = keys.encodePrivateKey(key, encoding);
      assert.ok(pemMatches(keys.publicKeyDer(key), pem));
      assert.not(pemMatches(stranger, pem));
    }
  });
}

test('a key that openssl wrote, with its curve in front, matches', () => {
  const { out } = openssl(['ecparam', '-name', 'prime256v1', '-genkey']);
  assert.match(out, 'EC PARAMETERS');
  assert.ok(pemMatches(keys.publicKeyDer(keys.parsePrivateKey(out)), out));
});

test('to compare keys of two kinds does no harm to the next key that is read', async () => {
  const rsa = await keys.generateKey({ algorithm: 'RSA', size: 2048 });
  const pem = keys.encodePrivateKey(rsa, 'PKCS1');
  for (const spec of ALL_KEYS) {
    assert.not(keyMatches(keys.publicKeyDer(rsa), await keys.generateKey(spec)));
    assert.ok(keys.parsePrivateKey(pem).equals(rsa), describe(spec));
  }
});

test('two keys in one PEM are refused', () => {
  const pem = keys.encodePrivateKey(p256, 'PKCS8');
  assert.throws(() => pemMatches(keys.publicKeyDer(p256), pem + pem), /2 private keys/);
});

/** What OpenSSL says, or that it can't read the key. */
function oracle(spki: Buffer, pem: string): boolean | 'unreadable' {
  try {
    return keyMatches(spki, keys.parsePrivateKey(pem));
  } catch {
    return 'unreadable';
  }
}

function answer(spki: Buffer, pem: string): boolean | 'unreadable' {
  try {
    return pemMatches(spki, pem);
  } catch {
    return 'unreadable';
  }
}

for (const size of [256, 384] as const) {
  test(`whatever byte of a P-${size} key is damaged, the answer is that of OpenSSL`, async () => {
    const key = await keys.generateKey({ algorithm: 'ECDSA', size });
    const spki = keys.publicKeyDer(key);
    const der = parsePem(keys.encodePrivateKey(key, 'PKCS8'))[0]?.der ?? Buffer.alloc(0);
    const anyByte = fc.record({
      at: fc.integer({ min: 0, max: der.length - 1 }),
      value: fc.integer({ min: 0, max: 255 }),
    });
    fc.assert(
      fc.property(anyByte, ({ at, value }) => {
        const damaged = Buffer.from(der);
        damaged[at] = value;
        const pem = toPem('PRIVATE KEY', damaged);
        assert.is(answer(spki, pem), oracle(spki, pem));
      }),
      { numRuns: 1_500 },
    );
  });
}

test.run();

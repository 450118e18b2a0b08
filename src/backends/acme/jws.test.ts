/** The bytes that sign a request, judged by jose; the vectors of RFC 7638 and RFC 8555. */
import { createPrivateKey, createSecretKey, randomBytes } from 'node:crypto';
import { calculateJwkThumbprint, flattenedVerify, importJWK } from 'jose';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { generateKey } from '../../pki/keys.ts';
import { accountKey, externalBinding, keyAuthorization, signedRequest } from './jws.ts';

type Flattened = Parameters<typeof flattenedVerify>[0];

const text = (bytes: Uint8Array) => Buffer.from(bytes).toString('utf8');
const newKey = async () => accountKey(await generateKey({ algorithm: 'ECDSA', size: 256 }));

test('jose verifies each request, and reads what was meant', async () => {
  const key = await newKey();
  const publicKey = await importJWK(key.jwk, 'ES256');
  for (const payload of [{ identifiers: [{ type: 'dns', value: 'ä.example' }] }, {}, undefined])
    for (const kid of [undefined, 'https://ca.example/acct/1']) {
      const header = { url: 'https://ca.example/new-order', nonce: 'abc', kid };
      const { payload: read, protectedHeader } = await flattenedVerify(
        signedRequest(key, header, payload) as Flattened,
        publicKey,
      );
      assert.is(text(read), payload === undefined ? '' : JSON.stringify(payload));
      const sender = kid === undefined ? { jwk: key.jwk } : { kid };
      assert.equal(protectedHeader, { alg: 'ES256', ...sender, nonce: 'abc', url: header.url });
    }
});

test('the thumbprint is that of RFC 7638, and the key authorization that of RFC 8555 section 8.1', async () => {
  const key = await newKey();
  assert.is(key.thumbprint, await calculateJwkThumbprint(key.jwk));
  assert.is(keyAuthorization('token', key), `token.${key.thumbprint}`);
});

test('the binding of an account is a JWS with HS256 over its key, without a nonce', async () => {
  const key = await newKey();
  const hmacKey = randomBytes(32);
  const binding = externalBinding(key, 'https://ca.example/new-account', { keyId: 'kid-1', hmacKey });
  const { payload, protectedHeader } = await flattenedVerify(binding as Flattened, createSecretKey(hmacKey));
  assert.equal(JSON.parse(text(payload)), key.jwk);
  assert.equal(protectedHeader, { alg: 'HS256', kid: 'kid-1', url: 'https://ca.example/new-account' });
});

test('another kind of key is refused', async () => {
  for (const spec of [{ algorithm: 'Ed25519' }, { algorithm: 'ECDSA', size: 384 }] as const) {
    const key = await generateKey(spec);
    assert.throws(() => accountKey(key), 'no ECDSA key on P-256');
  }
  assert.throws(() => createPrivateKey('nothing'));
});

test.run();

import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { encodePrivateKey, generateKey, keyEncodingOf, parsePrivateKey, publicKeyDer } from './keys.ts';
import { reencoded } from './reencode.ts';

for (const [from, to] of [
  ['PKCS8', 'PKCS1'],
  ['PKCS1', 'PKCS8'],
] as const)
  test(`a key in ${from} is written in ${to} where that is asked for, and is the same key`, async () => {
    const key = await generateKey({ algorithm: 'ECDSA', size: 256 });
    const pem = encodePrivateKey(key, from);
    assert.is(reencoded(pem, from), pem);
    assert.is(keyEncodingOf(reencoded(pem, to)), to);
    assert.equal(publicKeyDer(parsePrivateKey(reencoded(pem, to))), publicKeyDer(key));
  });

test('an Ed25519 key stays as it is written', async () => {
  const pem = encodePrivateKey(await generateKey({ algorithm: 'Ed25519' }), 'PKCS8');
  assert.is(reencoded(pem, 'PKCS1'), pem);
});

test.run();

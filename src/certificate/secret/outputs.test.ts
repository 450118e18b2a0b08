import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { encodePrivateKey, generateKey, keyEncodingOf, parsePrivateKey, publicKeyDer } from '../../pki/keys.ts';
import { outputsDigest, reencoded, render } from './outputs.ts';

const ECDSA = { algorithm: 'ECDSA', size: 256 } as const;

test('the defaults need no digest, and each other choice has one of its own', () => {
  assert.is(outputsDigest({ key: ECDSA, keyEncoding: 'PKCS8' }), '');
  assert.is(outputsDigest({ key: { algorithm: 'Ed25519' }, keyEncoding: 'PKCS1' }), '', 'there is one encoding of it');
  assert.match(outputsDigest({ key: ECDSA, keyEncoding: 'PKCS1' }), /^[\w-]{16}$/);
  assert.is(
    outputsDigest({ key: ECDSA, keyEncoding: 'PKCS1' }),
    outputsDigest({ key: { algorithm: 'RSA', size: 2048 }, keyEncoding: 'PKCS1' }),
    'the kind of key is no output',
  );
});

test('the data of a Secret is the three PEM files in base64', () => {
  const data = render({ certificateChain: 'chain', privateKey: 'key', trustBundle: 'trust' });
  const text = (base64: string) => Buffer.from(base64, 'base64').toString();
  assert.equal(Object.fromEntries(Object.entries(data).map(([name, each]) => [name, text(each)])), {
    'tls.crt': 'chain',
    'tls.key': 'key',
    'ca.crt': 'trust',
  });
});

for (const [from, to] of [
  ['PKCS8', 'PKCS1'],
  ['PKCS1', 'PKCS8'],
] as const)
  test(`a key in ${from} is written in ${to} where that is asked for, and is the same key`, async () => {
    const key = await generateKey(ECDSA);
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

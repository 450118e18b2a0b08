import { createPublicKey, verify } from 'node:crypto';
import { setTimeout } from 'node:timers/promises';
import { inspect } from 'node:util';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { ALL_KEYS, describe, leaf, NOW, P256, root } from '../../test/pki/make.ts';
import { openssl } from '../../test/pki/openssl.ts';
import { verifySignature } from './certificate.ts';
import { encodePrivateKey, generateKey, publicKeyDer } from './keys.ts';
import { type Signer, signerOf, signingAside } from './signer.ts';

const bytes = Buffer.from('to be signed');

/** As the signer of a key on another machine: the key is not at hand, and the answer comes later. */
function remote({ publicKey, keySpec, sign }: Signer): Signer {
  const later = async (tbs: Uint8Array) => {
    await setTimeout(20);
    return sign(tbs);
  };
  return { publicKey, keySpec, isSlow: true, sign: later };
}

for (const spec of ALL_KEYS) {
  test(`the signer of an ${describe(spec)} key has its public key, and signs with it`, async () => {
    const key = await generateKey(spec);
    const signer = signerOf(key);
    assert.ok(signer.publicKey.equals(publicKeyDer(key)));
    assert.equal(signer.keySpec, spec);
    assert.is(signer.isSlow, false);
    const digest = spec.algorithm === 'Ed25519' ? null : spec.algorithm === 'RSA' ? 'sha256' : hashOf(spec.size);
    const publicKey = createPublicKey({ key: signer.publicKey, format: 'der', type: 'spki' });
    assert.ok(verify(digest, bytes, publicKey, await signer.sign(bytes)));
  });

  test(`a certificate of an ${describe(spec)} key whose signature comes later is accepted by openssl`, async () => {
    const { certificate: ca, key } = await root({ keySpec: spec });
    const { certificate } = await leaf({ certificate: ca, signer: remote(signerOf(key)) });
    assert.ok(verifySignature(certificate, ca));
    const asked = ['verify', '-purpose', 'sslclient', '-x509_strict', '-attime', String(NOW.getTime() / 1000)];
    const verified = openssl([...asked, '-CAfile', '{ca}', '{leaf}'], { ca: ca.pem, leaf: certificate.pem });
    assert.ok(verified.ok, verified.text);
  });
}

function hashOf(size: 256 | 384 | 521): string {
  return { 256: 'sha256', 384: 'sha384', 521: 'sha512' }[size];
}

test('a failed signature fails the certificate', async () => {
  const { certificate, key } = await root();
  const signer = { ...signerOf(key), sign: () => Promise.reject(new Error('the HSM is away')) };
  const failed = await leaf({ certificate, signer }).catch((error: Error) => error.message);
  assert.is(failed, 'the HSM is away');
});

test('only a signature that takes long is made aside', async () => {
  const fast = signerOf(await generateKey(P256));
  let waits = 0;
  const aside = <T>(work: () => Promise<T>) => {
    waits += 1;
    return work();
  };
  await signingAside(fast, aside).sign(bytes);
  assert.is(waits, 0);
  await signingAside(remote(fast), aside).sign(bytes);
  assert.is(waits, 1);
});

test('a signer shows nothing of its key', async () => {
  const key = await generateKey(P256);
  const [, secret = ''] = encodePrivateKey(key, 'PKCS8').split('\n');
  const shown = inspect(signerOf(key), { depth: null, showHidden: true }) + JSON.stringify(signerOf(key));
  assert.not.match(shown, secret);
  assert.not.match(shown, 'PrivateKeyObject');
});

test.run();

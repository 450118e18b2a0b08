import { createPublicKey } from 'node:crypto';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { ALL_KEYS, describe, root } from '../../test/pki/make.ts';
import { privateKeyOfSlowPublicHalf } from '../../test/pki/slow-private-keys.ts';
import { cpuMs } from '../../test/unit/cpu.ts';
import { encodePrivateKey, generateKey, parsePrivateKey, publicKeyDer } from './keys.ts';
import { toPem } from './pem.ts';
import { readPublicKeys } from './read-public-keys.ts';

/** OpenSSL takes more than a second for each of ten. */
const QUICK_MS = 2_000;

for (const spec of ALL_KEYS)
  test(`the public half of an ${describe(spec)} key is read, and the private key is not`, async () => {
    const key = await generateKey(spec);
    const der = publicKeyDer(key);
    const [read] = readPublicKeys(`# of the API server\n${toPem('PUBLIC KEY', der)}`, 1);
    assert.ok(read?.equals(createPublicKey(key)));
    assert.equal(readPublicKeys(encodePrivateKey(key, 'PKCS8'), 1), []);
    if (spec.algorithm !== 'RSA') return;
    const pkcs1 = createPublicKey(key).export({ type: 'pkcs1', format: 'pem' }).toString();
    assert.ok(readPublicKeys(pkcs1, 1)[0]?.equals(createPublicKey(key)));
  });

test('a certificate stands for its key, and of many keys no more than some are read', async () => {
  const { certificate } = await root({ commonName: 'Root' });
  assert.is(readPublicKeys(certificate.pem.repeat(3), 2).length, 2);
  assert.equal(readPublicKeys('no PEM', 1), []);
  assert.equal(readPublicKeys(toPem('PUBLIC KEY', Buffer.from([0x30, 0])), 1), []);
});

for (const kind of ['DH', 'DSA'] as const)
  test(`a private ${kind} key whose public half takes long is not computed with`, () => {
    const pem = privateKeyOfSlowPublicHalf(kind);
    const usedMs = cpuMs(() => {
      assert.equal(readPublicKeys(pem.repeat(10), 10), []);
      assert.throws(() => parsePrivateKey(pem), /unsupported type/);
    });
    assert.ok(usedMs < QUICK_MS, `${usedMs} ms`);
  });

test.run();

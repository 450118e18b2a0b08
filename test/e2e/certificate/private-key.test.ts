import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { patchCertificate, renewAt, untilRevision } from '../support/edits.ts';
import { clientCertificate, create, readSecret, untilReady } from '../support/objects.ts';
import { oneScene } from '../support/scene.ts';
import { describeKey, opensslAccepts } from '../support/secret-proof.ts';

const scene = oneScene({}, async ({ world, namespace }) => {
  const names = ['keep', 'change', 'encoding'];
  await Promise.all(names.map((name) => create(world, clientCertificate(namespace, name))));
  await Promise.all(names.map((name) => untilReady(world, namespace, name)));
});
test.after(scene.stop);

test('rotationPolicy Never keeps the private key over a renewal, Always does not', async () => {
  const { world, namespace } = await scene.get();
  await patchCertificate(world, namespace, 'keep', { spec: { privateKey: { rotationPolicy: 'Never' } } });
  const renewedKey = async (name: string, revision: number) => {
    await renewAt(world, namespace, name);
    return (await untilRevision(world, namespace, `${name}-tls`, revision)).key;
  };
  const kept = (await readSecret(world, namespace, 'keep-tls'))?.key;
  assert.is(await renewedKey('keep', 2), kept);
  assert.is(await renewedKey('keep', 3), kept);
  const always = (await readSecret(world, namespace, 'change-tls'))?.key;
  assert.is.not(await renewedKey('change', 2), always);
  await patchCertificate(world, namespace, 'keep', { spec: { privateKey: { rotationPolicy: 'Always' } } });
  assert.is.not(await renewedKey('keep', 4), kept);
  // A key that no longer fits the spec can't be kept.
  await patchCertificate(world, namespace, 'keep', { spec: { privateKey: { rotationPolicy: 'Never', size: 384 } } });
  const { leaf } = await untilRevision(world, namespace, 'keep-tls', 5);
  assert.is(leaf.publicKey.asymmetricKeyDetails?.namedCurve, 'secp384r1');
});

test('a change of the encoding rewrites the key and keeps the certificate', async () => {
  const { world, namespace } = await scene.get();
  const before = await readSecret(world, namespace, 'encoding-tls');
  assert.match(before?.key ?? '', /^-----BEGIN PRIVATE KEY-----/);
  await patchCertificate(world, namespace, 'encoding', { spec: { privateKey: { encoding: 'PKCS1' } } });
  await untilReady(world, namespace, 'encoding', {}, 5_000);
  const after = await readSecret(world, namespace, 'encoding-tls');
  assert.match(after?.key ?? '', /^-----BEGIN EC PRIVATE KEY-----/);
  assert.is(after?.leaf.serialNumber, before?.leaf.serialNumber);
  await opensslAccepts(after?.object ?? {});
});

const KEYS: Readonly<Record<string, { privateKey: object; head: RegExp; openssl: RegExp }>> = {
  'rsa-2048': {
    privateKey: { algorithm: 'RSA' },
    head: /^-----BEGIN PRIVATE KEY-----/,
    openssl: /Public-Key: \(2048 bit\)/,
  },
  'rsa-3072-pkcs1': {
    privateKey: { algorithm: 'RSA', size: 3072, encoding: 'PKCS1' },
    head: /^-----BEGIN RSA PRIVATE KEY-----/,
    openssl: /Public-Key: \(3072 bit\)/,
  },
  ed25519: {
    privateKey: { algorithm: 'Ed25519' },
    head: /^-----BEGIN PRIVATE KEY-----/,
    openssl: /ED25519 Public-Key/,
  },
  'p-384': { privateKey: { size: 384 }, head: /^-----BEGIN PRIVATE KEY-----/, openssl: /NIST CURVE: P-384/ },
  'p-521-sec1': {
    privateKey: { size: 521, encoding: 'PKCS1' },
    head: /^-----BEGIN EC PRIVATE KEY-----/,
    openssl: /NIST CURVE: P-521/,
  },
};

test('openssl accepts every kind and encoding of key', async () => {
  const { world, namespace } = await scene.get();
  const kinds = Object.entries(KEYS);
  await Promise.all(
    kinds.map(([name, { privateKey }]) => create(world, clientCertificate(namespace, name, { privateKey }))),
  );
  for (const [name, { head, openssl }] of kinds) {
    await untilReady(world, namespace, name);
    const secret = await readSecret(world, namespace, `${name}-tls`);
    assert.match(secret?.key ?? '', head, name);
    await opensslAccepts(secret?.object ?? {});
    assert.match(await describeKey(secret?.object ?? {}), openssl, name);
  }
});

test.run();

/**
 * https://github.com/cert-manager/cert-manager/issues/6803 (also 3427): the trust stores hold the first CA certificate of ca.crt alone.
 * https://github.com/cert-manager/cert-manager/issues/3039: keystore.p12 lacks the intermediate CA certificates.
 */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { createSecretAuthority, pairData, putCaSecret } from '../support/ca-secret.ts';
import { createSecret } from '../support/edits.ts';
import { clientCertificate, create, readSecret, untilReady } from '../support/objects.ts';
import { makeCa, openssl, withFiles } from '../support/openssl.ts';
import { oneScene } from '../support/scene.ts';
import { eventually } from '../support/world.ts';

const scene = oneScene({ authority: false });
test.after(scene.stop);

const PEM = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----\n/g;

test('while a CA is replaced, every store holds each certificate of the PEM file that it stands for', async () => {
  const { world, namespace } = await scene.get();
  const root = await makeCa('Root');
  const intermediate = { ...(await makeCa('Intermediate', { issuer: root })), root: root.certificate };
  await createSecret(world, namespace, 'store', { data: { password: 'Y2hhbmdlaXQ=' } });
  await putCaSecret(world, namespace, 'ca-pair', pairData(intermediate));
  await createSecretAuthority(world, namespace, 'ca', 'ca-pair');
  const passwordSecretRef = { name: 'store', key: 'password' };
  const stores = { create: true, passwordSecretRef };
  await create(world, clientCertificate(namespace, 'client', { keystores: { jks: stores, pkcs12: stores } }));
  await untilReady(world, namespace, 'client');
  const other = await makeCa('Other');
  await putCaSecret(world, namespace, 'ca-pair', pairData(other));
  const secret = await eventually('ca.crt holds both roots', async () => {
    const found = await readSecret(world, namespace, 'client-tls');
    return found?.bundle.match(PEM)?.length === 2 && found;
  });
  assert.is(secret.chain.match(PEM)?.length, 2, 'the leaf and the intermediate CA');
  const file = (name: string) => Buffer.from(secret.object.data?.[name] ?? '', 'base64');
  const inPkcs12 = (name: string) =>
    withFiles({ password: 'changeit' }, async (folder) => {
      const { writeFile } = await import('node:fs/promises');
      await writeFile(`${folder}/store`, file(name));
      const text = await openssl(folder, 'pkcs12', '-in', 'store', '-passin', 'file:password', '-nokeys');
      return [...(text.match(PEM) ?? [])].sort();
    });
  const sorted = (text: string) => [...(text.match(PEM) ?? [])].sort();
  assert.equal(await inPkcs12('keystore.p12'), sorted(secret.chain));
  assert.equal(await inPkcs12('truststore.p12'), sorted(secret.bundle));
  // JKS encrypts no certificates.
  const der = (pem: string) => Buffer.from(pem.replaceAll(/-----[^-]+-----|\n/g, ''), 'base64');
  for (const each of sorted(secret.bundle)) assert.ok(file('truststore.jks').includes(der(each)));
  for (const each of sorted(secret.chain)) assert.ok(file('keystore.jks').includes(der(each)));
});

test.run();

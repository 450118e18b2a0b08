/**
 * https://github.com/cert-manager/cert-manager/issues/3450 (also 4289, 5246, 5397 and 6815): after a change of the password, of the
 * kind of key store, or of whether there is one, the Secret keeps the files that it had until the certificate is renewed.
 * https://github.com/cert-manager/cert-manager/issues/3631: a password that was put into `data` as it is, without base64, opens nothing.
 */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { createSecret, patchCertificate, patchSecret } from '../support/edits.ts';
import { clientCertificate, conditionOf, create, readSecret, statusOf, untilReady } from '../support/objects.ts';
import { signatures } from '../support/recorded.ts';
import { oneScene } from '../support/scene.ts';
import { eventually } from '../support/world.ts';

const passwordSecretRef = { name: 'store', key: 'password' };
const [jks, pkcs12] = [
  { create: true, passwordSecretRef },
  { create: true, passwordSecretRef },
];
const STANDARD = ['ca.crt', 'tls.crt', 'tls.key'];
const [JKS, PKCS12] = [
  ['keystore.jks', 'truststore.jks'],
  ['keystore.p12', 'truststore.p12'],
];
const password = (text: string) => ({ data: { password: Buffer.from(text).toString('base64') } });

const scene = oneScene({}, async ({ world, namespace }) => {
  await createSecret(world, namespace, 'store', password('changeit'));
  await create(world, clientCertificate(namespace, 'client'));
  await untilReady(world, namespace, 'client');
});
test.after(scene.stop);

/** What the spec is changed to, one after the other, and the files beside the three that the Secret has then. */
const CHANGES: Readonly<Record<string, { readonly keystores: object | null; readonly files: readonly string[] }>> = {
  'a key store that is added': { keystores: { jks }, files: JKS ?? [] },
  'another kind of key store': { keystores: { jks: null, pkcs12 }, files: PKCS12 ?? [] },
  'a second key store': { keystores: { jks }, files: [...(JKS ?? []), ...(PKCS12 ?? [])] },
  'create: false': { keystores: { jks: { create: false } }, files: PKCS12 ?? [] },
  'a key store that is removed': { keystores: null, files: [] },
};

for (const [what, { keystores, files }] of Object.entries(CHANGES))
  test(`${what} changes the files of the Secret at once, and signs nothing`, async () => {
    const { world, controller, namespace } = await scene.get();
    await patchCertificate(world, namespace, 'client', { spec: { keystores } });
    const wanted = [...STANDARD, ...files].sort().join();
    await eventually(`the files are ${wanted}`, async () => {
      const { data = {} } = (await readSecret(world, namespace, 'client-tls'))?.object ?? {};
      return Object.keys(data).sort().join() === wanted;
    });
    assert.is(signatures(controller, namespace, 'client'), 1);
  });

test('another password, alias or profile changes the stores at once, and signs nothing', async () => {
  const { world, controller, namespace } = await scene.get();
  const store = async () => (await readSecret(world, namespace, 'other-tls'))?.object.data?.['keystore.p12'];
  await create(world, clientCertificate(namespace, 'other', { keystores: { pkcs12 } }));
  await untilReady(world, namespace, 'other');
  const changes = [
    () => patchSecret(world, namespace, 'store', password('another')),
    () => patchCertificate(world, namespace, 'other', { spec: { keystores: { pkcs12: { alias: 'other' } } } }),
    () => patchCertificate(world, namespace, 'other', { spec: { keystores: { pkcs12: { profile: 'LegacyDES' } } } }),
  ];
  for (const change of changes) {
    const before = await store();
    await change();
    await eventually('the store is another', async () => (await store()) !== before);
  }
  assert.is(signatures(controller, namespace, 'other'), 1);
});

test('a password without base64 is bytes that are no password, and the status says so', async () => {
  const { world, namespace } = await scene.get();
  // What a person meant as text, and base64 reads as these bytes.
  await patchSecret(world, namespace, 'store', { data: { password: 'password' } });
  const message = await eventually('the status says so', async () => {
    const issuing = conditionOf(await statusOf(world, namespace, 'other'), 'Issuing');
    return issuing?.reason === 'KeystorePasswordUnusable' && issuing.message;
  });
  assert.match(message, /key password: the password has bytes that are not printable ASCII/);
});

test.run();

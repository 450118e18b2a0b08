import { setTimeout as sleep } from 'node:timers/promises';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { createSecretAuthority, pairData, putCaSecret } from '../support/ca-secret.ts';
import { createSecret, deleteSecret } from '../support/edits.ts';
import {
  authorityStatusOf,
  clientCertificate,
  conditionOf,
  create,
  readSecret,
  untilReady,
} from '../support/objects.ts';
import { makeCa } from '../support/openssl.ts';
import { oneScene } from '../support/scene.ts';
import { eventually } from '../support/world.ts';
import { certificatesOf } from './history.ts';

const PROPAGATION_MS = 2_000;
/** For longer than the propagation the rotation makes no step. */
const HELD_MS = PROPAGATION_MS + 2_000;

const scene = oneScene({ authority: false, flags: ['--trust-propagation', `${PROPAGATION_MS}ms`] });
test.after(scene.stop);

test('a new CA does not sign before the trust stores hold it, though their password is missing meanwhile', async () => {
  const { world, namespace } = await scene.get();
  const password = { data: { password: Buffer.from('changeit').toString('base64') } };
  const passwordSecretRef = { name: 'store', key: 'password' };
  const keystores = { jks: { create: true, passwordSecretRef } };
  const [v1, v2] = [await makeCa('Old'), await makeCa('New')];
  await createSecret(world, namespace, 'store', password);
  await putCaSecret(world, namespace, 'ca-pair', pairData(v1));
  await createSecretAuthority(world, namespace, 'ca', 'ca-pair');
  await create(world, clientCertificate(namespace, 'java', { keystores }));
  await create(world, clientCertificate(namespace, 'plain'));
  for (const name of ['java', 'plain']) await untilReady(world, namespace, name);
  const trustStore = async () => {
    const { data = {} } = (await readSecret(world, namespace, 'java-tls'))?.object ?? {};
    return Buffer.from(data['truststore.jks'] ?? '', 'base64');
  };
  const holds = async ({ x509 }: typeof v1) => (await trustStore()).includes(x509.raw);
  assert.ok(await holds(v1));

  await deleteSecret(world, namespace, 'store');
  await untilReady(world, namespace, 'java', { type: 'Issuing', reason: 'KeystorePasswordUnusable' });
  await putCaSecret(world, namespace, 'ca-pair', pairData(v2));
  await eventually('ca.crt holds both', async () => {
    const secret = await readSecret(world, namespace, 'java-tls');
    return certificatesOf(secret?.bundle ?? '').length === 2;
  });
  assert.not(await holds(v2), 'the trust store can not be written');
  const status = () => authorityStatusOf(world, namespace, 'ca');
  await eventually('the rotation waits for it', async () =>
    conditionOf(await status(), 'Rotating')?.message.endsWith(`1 certificates, such as ${namespace}/java`),
  );
  await sleep(HELD_MS);
  assert.is((await status()).activeGeneration, 1, 'longer than the propagation');

  await createSecret(world, namespace, 'store', password);
  await eventually('the trust store holds both', async () => (await holds(v1)) && (await holds(v2)));
  await eventually('the new CA signs', async () => (await status()).activeGeneration === 2);
});

test.run();

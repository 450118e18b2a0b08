import { setTimeout as sleep } from 'node:timers/promises';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { SECRETS } from '../../../src/api/names.ts';
import { createSecret, deleteSecret, patchSecret, renewAt, untilRevision } from '../support/edits.ts';
import { hasItsStore } from '../support/key-stores.ts';
import { clientCertificate, create, untilReady } from '../support/objects.ts';
import { oneScene } from '../support/scene.ts';
import { watchSecrets } from '../support/secret-witness.ts';
import { eventually } from '../support/world.ts';

// Another program holds an object that is deleted: the Secret with the stores, or that of their password.

const HELD = { metadata: { finalizers: ['example.com/hold'] } };
const FREE = { metadata: { finalizers: null } };
const QUIET_MS = 3_000;
const password = (text: string) => ({ data: { password: Buffer.from(text).toString('base64') } });

const scene = oneScene({});
test.after(scene.stop);

/** A certificate with a store, and a Secret of its own for the password. */
async function place(name: string) {
  const { world, namespace } = await scene.get();
  const store = `${name}-password`;
  await createSecret(world, namespace, store, password('first'));
  const keystores = { pkcs12: { create: true, passwordSecretRef: { name: store, key: 'password' } } };
  await create(world, clientCertificate(namespace, name, { keystores }));
  await untilReady(world, namespace, name);
  const stored = () => world.client.get(SECRETS, namespace, `${name}-tls`);
  const opensWith = (secret: string) =>
    eventually(`it opens with ${secret}`, async () => hasItsStore(await stored(), secret));
  return { world, namespace, store, stored, opensWith };
}

test('a Secret that a finalizer holds follows password and renewals, and comes anew with its store once it is gone', async () => {
  const { world, namespace, store, stored, opensWith } = await place('held');
  const before = await stored();
  await patchSecret(world, namespace, 'held-tls', HELD);
  await deleteSecret(world, namespace, 'held-tls');
  await patchSecret(world, namespace, store, password('second'));
  await opensWith('second');
  await renewAt(world, namespace, 'held');
  await untilRevision(world, namespace, 'held-tls', 2);
  await opensWith('second');
  assert.is((await stored())?.metadata?.uid, before?.metadata?.uid);
  const secrets = await watchSecrets(world, namespace);
  await sleep(QUIET_MS);
  await secrets.settled();
  // The first is the one that the witness began with.
  assert.is(secrets.versions('held-tls').length, 1);
  await patchSecret(world, namespace, 'held-tls', FREE);
  await untilRevision(world, namespace, 'held-tls', 3);
  assert.is.not((await stored())?.metadata?.uid, before?.metadata?.uid);
  await opensWith('second');
  await untilReady(world, namespace, 'held');
});

test('a password in a Secret that a finalizer holds counts until that is gone, and then the status names it', async () => {
  const { world, namespace, store, opensWith } = await place('client');
  await patchSecret(world, namespace, store, HELD);
  await deleteSecret(world, namespace, store);
  await renewAt(world, namespace, 'client');
  await untilRevision(world, namespace, 'client-tls', 2);
  await opensWith('first');
  await patchSecret(world, namespace, store, FREE);
  const wanted = { type: 'Issuing', reason: 'KeystorePasswordUnusable' };
  await untilReady(world, namespace, 'client', wanted);
  await createSecret(world, namespace, store, password('new'));
  await opensWith('new');
});

test.run();

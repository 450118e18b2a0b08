import { setTimeout as sleep } from 'node:timers/promises';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { CLIENT_CERTIFICATES, SECRETS } from '../../../src/api/names.ts';
import { createSecret, deleteSecret, patchCertificate } from '../support/edits.ts';
import { clientCertificate, create } from '../support/objects.ts';
import { oneScene } from '../support/scene.ts';
import { eventually, type World } from '../support/world.ts';

// Between the signature of a certificate and the write of its Secret come its key stores, which are made one after the other.

const MANY = 60;
const base64 = (text: string) => Buffer.from(text).toString('base64');
const passwordSecretRef = { name: 'store', key: 'password' };
/** The slowest that there is. */
const keystores = { pkcs12: { create: true, passwordSecretRef, profile: 'LegacyDES' } };

const scene = oneScene({}, async ({ world, namespace }) => {
  await createSecret(world, namespace, 'store', { data: { password: base64('changeit') } });
  return {};
});
test.after(scene.stop);

/** Creates them and, as soon as the first is published, has `end` do away with each; answers those whose Secrets come later. */
async function latecomers(deletionPolicy: string, prefix: string, end: (name: string) => Promise<unknown>) {
  const { world, namespace } = await scene.get();
  const names = Array.from({ length: MANY }, (_, index) => `${prefix}-${index}`);
  const holds = async (name: string) => (await world.client.get(SECRETS, namespace, `${name}-tls`)) !== undefined;
  await Promise.all(
    names.map((name) => create(world, clientCertificate(namespace, name, { deletionPolicy, keystores }))),
  );
  await eventually('the first is published', async () => (await Promise.all(names.map(holds))).some((each) => each));
  await Promise.all(names.map((name) => end(name)));
  // What was on its way to the API server at that moment.
  await sleep(100);
  const without = await filter(names, async (name) => !(await holds(name)));
  assert.ok(without.length > MANY / 4, `${without.length} had no Secret yet`);
  await sleep(8_000);
  return filter(without, holds);
}

async function filter(names: readonly string[], holds: (name: string) => Promise<boolean>): Promise<string[]> {
  const answers = await Promise.all(names.map(holds));
  return names.filter((_, index) => answers[index]);
}

const remove = (world: World, namespace: string, name: string) =>
  world.client.delete(CLIENT_CERTIFICATES, namespace, name);

test('a resource that is deleted while its key stores are made gets no Secret', async () => {
  const { world, namespace } = await scene.get();
  assert.equal(await latecomers('Retain', 'gone', (name) => remove(world, namespace, name)), []);
});

test('a resource that a finalizer keeps gets no Secret either, and none comes back that is deleted', async () => {
  const { world, namespace } = await scene.get();
  const late = await latecomers('Delete', 'held', async (name) => {
    await patchCertificate(world, namespace, name, { metadata: { finalizers: ['example.com/hold'] } });
    await remove(world, namespace, name);
    await deleteSecret(world, namespace, `${name}-tls`);
  });
  assert.equal(late, []);
  for (let index = 0; index < MANY; index += 1)
    await patchCertificate(world, namespace, `held-${index}`, { metadata: { finalizers: null } });
});

test.run();

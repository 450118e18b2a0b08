import { setTimeout as sleep } from 'node:timers/promises';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import * as names from '../../../src/api/names.ts';
import { renewAt, untilRevision } from '../support/edits.ts';
import { eventually, QUIET_MS } from '../support/eventually.ts';
import { untilNextSecond } from '../support/moments.ts';
import { clientCertificate, conditionOf, create, readSecret, statusOf, untilReady } from '../support/objects.ts';
import { signatures } from '../support/recorded.ts';
import { oneScene } from '../support/scene.ts';
import { faultOf } from '../support/secret-proof.ts';
import type { World } from '../support/world.ts';

const scene = oneScene({}, async ({ world }) => {
  // After our CRDs: the garbage collector discovers new ones every 30 seconds only.
  await world.cluster.startControllerManager(['garbage-collector-controller']);
});
test.after(scene.stop);

async function remove(world: World, namespace: string, name: string): Promise<void> {
  assert.ok(await world.client.delete(names.CLIENT_CERTIFICATES, namespace, name));
}

function untilSecretIsGone(world: World, namespace: string, name: string): Promise<true> {
  const ask = async () => (await readSecret(world, namespace, name)) === undefined;
  return eventually(`Secret ${name} is gone`, ask) as Promise<true>;
}

test('two resources name one Secret: the older gets it, and the younger reports the conflict', async () => {
  const { world, controller, namespace } = await scene.get();
  await create(world, clientCertificate(namespace, 'older', { secretName: 'common-tls' }));
  await untilReady(world, namespace, 'older');
  // Ages are compared in whole seconds.
  await untilNextSecond();
  await create(world, clientCertificate(namespace, 'younger', { secretName: 'common-tls' }));
  const status = await untilReady(world, namespace, 'younger', { status: 'False', reason: 'SecretConflict' });
  assert.match(conditionOf(status, 'Ready')?.message ?? '', 'belongs to ClientCertificate older, which goes first');
  assert.is((await readSecret(world, namespace, 'common-tls'))?.leaf.subject, 'CN=older');
  await renewAt(world, namespace, 'younger');
  await renewAt(world, namespace, 'older');
  await untilRevision(world, namespace, 'common-tls', 2);
  assert.is(signatures(controller, namespace, 'younger'), 0);

  await remove(world, namespace, 'older');
  await untilReady(world, namespace, 'younger');
  const secret = await readSecret(world, namespace, 'common-tls');
  assert.is(secret?.leaf.subject, 'CN=younger');
  assert.is(faultOf(secret?.object ?? {}), undefined);
  assert.is(signatures(controller, namespace, 'younger'), 1);
  assert.is(signatures(controller, namespace, 'older'), 2);
});

test('two resources that were created in the same second agree on which of them gets the Secret', async () => {
  const { world, controller, namespace } = await scene.get();
  // The order of uids is random, so there are several couples.
  const couples = Array.from({ length: 8 }, (_, index) => [`first-${index}`, `second-${index}`] as const);
  await untilNextSecond();
  const resources = couples.map(async ([first, second], index) => {
    const spec = { secretName: `couple-${index}-tls` };
    await create(world, clientCertificate(namespace, first, spec));
    // The first has its certificate before the second exists.
    await untilReady(world, namespace, first);
    await create(world, clientCertificate(namespace, second, spec));
  });
  await Promise.all(resources);
  const reasonsOf = (names: readonly string[]) =>
    Promise.all(names.map(async (name) => conditionOf(await statusOf(world, namespace, name), 'Ready')?.reason));
  for (const couple of couples) {
    const agreed = async () => (await reasonsOf(couple)).sort().join() === 'Issued,SecretConflict';
    await eventually('they agree', agreed).catch(async () => {
      assert.unreachable(`${couple.join(' and ')} ended as ${await reasonsOf(couple)}`);
    });
    const signed = couple.reduce((sum, name) => sum + signatures(controller, namespace, name), 0);
    assert.ok(signed <= 2, `${signed} signatures`);
  }
});

test('deletionPolicy Delete lets the garbage collector remove the Secret, Retain keeps it', async () => {
  const { world, namespace } = await scene.get();
  await create(world, clientCertificate(namespace, 'passing'));
  await create(world, clientCertificate(namespace, 'lasting', { deletionPolicy: 'Retain' }));
  await Promise.all(['passing', 'lasting'].map((name) => untilReady(world, namespace, name)));
  const before = await readSecret(world, namespace, 'lasting-tls');
  await Promise.all(['passing', 'lasting'].map((name) => remove(world, namespace, name)));
  await untilSecretIsGone(world, namespace, 'passing-tls');
  await sleep(QUIET_MS);
  const after = await readSecret(world, namespace, 'lasting-tls');
  assert.equal(after?.object, before?.object);
  assert.is(await readSecret(world, namespace, 'passing-tls'), undefined);
});

test('a retained Secret is foreign to a new resource of the same name until it is handed over', async () => {
  const { world, controller, namespace } = await scene.get();
  await create(world, clientCertificate(namespace, 'lasting', { deletionPolicy: 'Retain' }));
  const status = await untilReady(world, namespace, 'lasting', { status: 'False', reason: 'SecretNotOwned' });
  const [, command = ''] = /kubectl (.*)$/.exec(conditionOf(status, 'Ready')?.message ?? '') ?? [];
  const before = await readSecret(world, namespace, 'lasting-tls');
  await world.cluster.kubectl(command.split(' '));
  assert.is((await untilReady(world, namespace, 'lasting')).serialNumber, before?.leaf.serialNumber.toLowerCase());
  // One for the first life, none for the second.
  assert.is(signatures(controller, namespace, 'lasting'), 1);
});

test('a resource that is deleted and created again at once gets a Secret of its own', async () => {
  const { world, namespace } = await scene.get();
  await create(world, clientCertificate(namespace, 'reborn'));
  await untilReady(world, namespace, 'reborn');
  const before = await readSecret(world, namespace, 'reborn-tls');
  await remove(world, namespace, 'reborn');
  const { metadata } = await create(world, clientCertificate(namespace, 'reborn'));
  await untilReady(world, namespace, 'reborn');
  const after = await readSecret(world, namespace, 'reborn-tls');
  assert.is(after?.annotations[names.CERTIFICATE_UID_ANNOTATION], metadata?.uid);
  assert.is.not(after?.object.metadata?.uid, before?.object.metadata?.uid);
  assert.is.not(after?.key, before?.key);
  // The garbage collector leaves the new Secret alone.
  await sleep(2 * QUIET_MS);
  assert.equal((await readSecret(world, namespace, 'reborn-tls'))?.object, after?.object);
});

test('a resource that is deleted during its first issue leaves no Secret behind', async () => {
  const { world, namespace } = await scene.get();
  const crowd = Array.from({ length: 12 }, (_, index) => `brief-${index}`);
  await Promise.all(
    crowd.map(async (name, index) => {
      await create(world, clientCertificate(namespace, name));
      // Each one goes at another moment of its first issue.
      await sleep(index * 8);
      await remove(world, namespace, name);
    }),
  );
  // No reconcile that was under way writes its Secret again.
  await sleep(QUIET_MS);
  await Promise.all(crowd.map((name) => untilSecretIsGone(world, namespace, `${name}-tls`)));
});

test.run();

import { setTimeout as sleep } from 'node:timers/promises';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { SECRETS } from '../../../src/api/names.ts';
import { auditEvents, isWrite } from '../process/support/audit.ts';
import { createSecret, patchSecret, renewAt, untilRevision } from '../support/edits.ts';
import { hasItsStore } from '../support/key-stores.ts';
import { clientCertificate, create, untilReady } from '../support/objects.ts';
import { oneScene } from '../support/scene.ts';
import { eventually } from '../support/world.ts';

const MANY = 12;
const names = Array.from({ length: MANY }, (_, index) => `client-${index}`);
/** For this long nothing is written once all is done. */
const QUIET_MS = 5_000;
const passwordSecretRef = { name: 'store', key: 'password' };
const OUTPUTS = {
  additionalOutputFormats: [{ type: 'DER' }],
  keystores: { pkcs12: { create: true, passwordSecretRef }, jks: { create: true, passwordSecretRef } },
};
const password = (text: string) => ({ data: { password: Buffer.from(text).toString('base64') } });

const scene = oneScene({}, async ({ world, namespace }) => {
  await createSecret(world, namespace, 'store', password('first'));
  for (const name of names) await create(world, clientCertificate(namespace, name, OUTPUTS));
  for (const name of names) await untilReady(world, namespace, name);
  return { second: await world.controller() };
});
test.after(scene.stop);

/** Whether each Secret holds a store of its own certificate that opens with that password. */
async function areAll(secret: string): Promise<boolean> {
  const { world, namespace } = await scene.get();
  const have = names.map(async (name) =>
    hasItsStore(await world.client.get(SECRETS, namespace, `${name}-tls`), secret),
  );
  return (await Promise.all(have)).every((each) => each);
}

/** The answers of the API server to all writes to the Secrets of certificates since then. */
async function writesSince(moment: Date): Promise<{ readonly done: number; readonly refused: number }> {
  const { world, namespace } = await scene.get();
  const codes = (await auditEvents(world))
    .filter(
      (event) =>
        isWrite(event) &&
        event.stage === 'ResponseComplete' &&
        event.objectRef?.resource === 'secrets' &&
        event.objectRef.namespace === namespace &&
        /^client-\d+-tls$/.test(event.objectRef.name ?? '') &&
        new Date(event.requestReceivedTimestamp) >= moment,
    )
    .map(({ responseStatus }) => responseStatus?.code ?? 0);
  return { done: codes.filter((code) => code < 300).length, refused: codes.filter((code) => code >= 300).length };
}

test('a changed password costs two replicas one write of each Secret, and the slower one is refused', async () => {
  const { world, namespace } = await scene.get();
  const since = new Date();
  await patchSecret(world, namespace, 'store', password('second'));
  await eventually('all open with it', () => areAll('second'));
  await sleep(QUIET_MS);
  const { done, refused } = await writesSince(since);
  console.log(`# ${done} writes and ${refused} conflicts of ${MANY} Secrets`);
  assert.is(done, MANY);
  assert.ok(refused <= MANY);
});

test('passwords that change faster than they are written end in the last one, and then nothing is written', async () => {
  const { world, namespace, controller, second } = await scene.get();
  const since = new Date();
  for (let index = 0; index < 10; index += 1) {
    await patchSecret(world, namespace, 'store', password(`changed ${index}`));
    // One of the two learns of some of them late.
    if (index % 2 === 0) second.signal(index % 4 === 0 ? 'SIGSTOP' : 'SIGCONT');
    await sleep(100);
  }
  second.signal('SIGCONT');
  await patchSecret(world, namespace, 'store', password('last'));
  await eventually('all open with it', () => areAll('last'), 60_000);
  await sleep(QUIET_MS);
  const { done } = await writesSince(since);
  console.log(`# ${done} writes for 11 changes, of ${MANY} Secrets`);
  assert.ok(done <= MANY * 11, `${done} writes`);
  const quietFrom = new Date();
  await sleep(QUIET_MS);
  assert.equal(await writesSince(quietFrom), { done: 0, refused: 0 });
  assert.ok(await areAll('last'));
  for (const { logs } of [controller, second])
    assert.equal(
      logs.filter(({ level }) => level === 'error'),
      [],
    );
});

test('a renewal while the password changes ends in the new one, with one certificate', async () => {
  const { world, namespace } = await scene.get();
  for (const name of names) {
    await renewAt(world, namespace, name);
    if (name === 'client-5') await patchSecret(world, namespace, 'store', password('after'));
  }
  for (const name of names) await untilRevision(world, namespace, `${name}-tls`, 2);
  await eventually('all open with it', () => areAll('after'), 60_000);
  await sleep(QUIET_MS);
  assert.ok(await areAll('after'));
});

test.run();

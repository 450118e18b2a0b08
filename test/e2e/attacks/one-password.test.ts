import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { ControllerProcess } from '../support/controller-process.ts';
import { createSecret, deleteSecret, patchSecret, renewAt, untilRevision } from '../support/edits.ts';
import { clientCertificate, create, createAuthority, readSecret, selfManaged, untilReady } from '../support/objects.ts';
import { oneScene } from '../support/scene.ts';
import { eventually } from '../support/world.ts';

// The attack: the key stores of many ClientCertificates have one password, whose Secret is changed in a loop, so that all of them
// are reconciled and their stores made anew, time and again.

const MANY = 40;
const CHANGES = 100;
const names = Array.from({ length: MANY }, (_, index) => `client-${index}`);
const base64 = (text: string) => Buffer.from(text).toString('base64');
const password = (text: string) => ({ data: { password: base64(text) } });
const passwordSecretRef = { name: 'store', key: 'password' };
const keystores = {
  pkcs12: { create: true, passwordSecretRef, profile: 'LegacyRC2' },
  jks: { create: true, passwordSecretRef },
};

const scene = oneScene({}, async ({ world, namespace }) => {
  await createSecret(world, namespace, 'store', password('first'));
  for (const name of names) await create(world, clientCertificate(namespace, name, { keystores }));
  for (const name of names) await untilReady(world, namespace, name);
  const neighbour = await world.namespace();
  await createAuthority(world, selfManaged(neighbour));
  await createSecret(world, neighbour, 'store', password('neighbour'));
  await create(world, clientCertificate(neighbour, 'client', { keystores }));
  await untilReady(world, neighbour, 'client');
  return { neighbour };
});
test.after(scene.stop);

async function sum(controller: ControllerProcess, series: RegExp): Promise<number> {
  const text = await controller.metrics();
  return [...text.matchAll(series)].reduce((total, [, value]) => total + Number(value), 0);
}

const RUNS = /^certwheel_workqueue_runs_total\{controller="certificates".*\} (\d+)$/gm;
const READS = /^certwheel_kube_requests_total\{.*verb="get".*resource="secrets".*\} (\d+)$/gm;
const WRITES = /^certwheel_kube_requests_total\{.*verb="(?:apply|patch)".*resource="secrets".*\} (\d+)$/gm;

/** Whether the key stores of all of them differ from those. */
async function stores(get: (name: string) => ReturnType<typeof readSecret>) {
  return Promise.all(names.map(async (name) => (await get(name))?.object.data?.['keystore.jks']));
}

test('a change of its labels, annotations or other keys reconciles none of them', async () => {
  const { world, controller, namespace } = await scene.get();
  const before = await sum(controller, RUNS);
  for (let index = 0; index < CHANGES; index += 1)
    await patchSecret(world, namespace, 'store', { metadata: { annotations: { touched: `${index}` } } });
  await renewAt(world, namespace, 'client-0');
  await untilRevision(world, namespace, 'client-0-tls', 2);
  // A run is counted when it has ended, after the Secret and the status are written.
  const runs = await eventually('the renewal is counted', async () => {
    const more = (await sum(controller, RUNS)) - before;
    return more > 0 && more;
  });
  assert.ok(runs < MANY / 2, `${runs} runs`);
});

test('a change of the password changes the stores of all of them', async () => {
  const { world, controller, namespace } = await scene.get();
  const read = (name: string) => readSecret(world, namespace, `${name}-tls`);
  const [before, runs, reads] = [await stores(read), await sum(controller, RUNS), await sum(controller, READS)];
  await patchSecret(world, namespace, 'store', password('second'));
  await eventually('all have others', async () => {
    const after = await stores(read);
    return after.every((each, index) => each !== before[index]);
  });
  await eventually('all runs are counted', async () => (await sum(controller, RUNS)) - runs >= MANY);
  // Of each its key, for its store, and the password once more, since the watch may be behind.
  assert.ok((await sum(controller, READS)) - reads <= 2 * MANY + 5);
});

test('a password that changes in a loop costs each of them a few writes, and a neighbour renews meanwhile', async () => {
  const { world, controller, namespace, neighbour } = await scene.get();
  const before = await sum(controller, WRITES);
  for (let index = 0; index < CHANGES; index += 1) {
    if (index % 10 === 0) {
      await deleteSecret(world, namespace, 'store');
      await createSecret(world, namespace, 'store', password(`deleted ${index}`));
    } else await patchSecret(world, namespace, 'store', password(`changed ${index}`));
    if (index === CHANGES / 2) {
      await renewAt(world, neighbour, 'client');
      await untilRevision(world, neighbour, 'client-tls', 2);
    }
  }
  await patchSecret(world, namespace, 'store', password('last'));
  const writes = (await sum(controller, WRITES)) - before;
  // Five at once, and those of the pauses after 4, 8 and 16 s.
  assert.ok(writes <= MANY * 8 + 5, `${writes} writes`);
  await renewAt(world, neighbour, 'client');
  await untilRevision(world, neighbour, 'client-tls', 3);
});

test.run();

import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { CLIENT_CERTIFICATES, SECRETS } from '../../../src/api/names.ts';
import type { ControllerProcess } from '../support/controller-process.ts';
import { deleteSecret, patchSecret } from '../support/edits.ts';
import { clientCertificate, conditionOf, create, readSecret, statusOf, untilReady } from '../support/objects.ts';
import { oneScene } from '../support/scene.ts';
import type { World } from '../support/world.ts';
import { eventually } from '../support/world.ts';

// The attack: many ClientCertificates name one Secret, so that each change of it reconciles all of them, and each reads it.

const MANY = 60;
/** Once for the key of the books, and once for the register of an authority. */
const AT_THE_START = 2;
const SECRET = 'common-tls';
const names = Array.from({ length: MANY }, (_, index) => `rival-${index}`);

const scene = oneScene({}, async ({ world, namespace }) => {
  await create(world, clientCertificate(namespace, 'holder', { secretName: SECRET }));
  await untilReady(world, namespace, 'holder');
  for (const name of names) await create(world, clientCertificate(namespace, name, { secretName: SECRET }));
  await untilOthersName(world, 'holder', names);
});
test.after(scene.stop);

async function untilOthersName({ client }: World, first: string, others: readonly string[]): Promise<void> {
  await eventually(`all others say that the Secret is that of ${first}`, async () => {
    const { items } = await client.list(CLIENT_CERTIFICATES, {});
    const says = new Map(items.map(({ metadata, status }) => [metadata?.name, conditionOf(status ?? {}, 'Ready')]));
    return others.every((name) =>
      says.get(name)?.message?.includes(`belongs to ClientCertificate ${first}, which goes first`),
    );
  });
}

interface Work {
  readonly runs: number;
  /** Reads of single Secrets. */
  readonly reads: number;
}

async function workOf(controller: ControllerProcess): Promise<Work> {
  const text = await controller.metrics();
  const sum = (series: RegExp) => [...text.matchAll(series)].reduce((total, [, value]) => total + Number(value), 0);
  return {
    runs: sum(/^certwheel_workqueue_runs_total\{controller="certificates".*\} (\d+)$/gm),
    reads: sum(/^certwheel_kube_requests_total\{.*verb="get".*resource="secrets".*\} (\d+)$/gm),
  };
}

test('a change of the Secret reconciles its owner alone', async () => {
  const { world, controller, namespace } = await scene.get();
  const before = await workOf(controller);
  const bundle = (await readSecret(world, namespace, SECRET))?.bundle;
  for (let touch = 0; touch < 5; touch += 1) {
    await patchSecret(world, namespace, SECRET, { metadata: { annotations: { touched: String(touch) } } });
  }
  // The change is repaired.
  await patchSecret(world, namespace, SECRET, { data: { 'ca.crt': null } });
  await eventually('the bundle is back', async () => (await readSecret(world, namespace, SECRET))?.bundle === bundle);
  const after = await workOf(controller);
  assert.ok(after.runs - before.runs < MANY / 2, `${after.runs - before.runs} runs`);
  assert.ok(after.reads - before.reads <= 2, `${after.reads - before.reads} reads`);
});

test('when the owner is deleted, the oldest of the others gets the Secret, and a restart changes nothing', async () => {
  const { world, controller, namespace } = await scene.get();
  await world.client.delete(CLIENT_CERTIFICATES, namespace, 'holder');
  await deleteSecret(world, namespace, SECRET);
  const { items } = await world.client.list(CLIENT_CERTIFICATES, { namespace });
  const age = ({ metadata }: (typeof items)[number]) => `${metadata?.creationTimestamp}/${metadata?.uid}`;
  const [oldest] = [...items].sort((one, other) => (age(one) < age(other) ? -1 : 1));
  const heir = oldest?.metadata?.name ?? '';
  await untilReady(world, namespace, heir);
  assert.is((await readSecret(world, namespace, SECRET))?.leaf.subject, `CN=${heir}`);
  const others = names.filter((name) => name !== heir);
  await untilOthersName(world, heir, others);

  const version = (await world.client.get(SECRETS, namespace, SECRET))?.metadata?.resourceVersion;
  await controller.stop();
  const next = await world.controller();
  await create(world, clientCertificate(namespace, 'control'));
  await untilReady(world, namespace, 'control');
  await eventually('all are reconciled', async () => (await workOf(next)).runs > MANY);
  const { reads } = await workOf(next);
  assert.ok(reads - AT_THE_START <= 2, `${reads} reads`);
  assert.is((await world.client.get(SECRETS, namespace, SECRET))?.metadata?.resourceVersion, version);
  assert.is(conditionOf(await statusOf(world, namespace, heir), 'Ready')?.status, 'True');
});

test.run();

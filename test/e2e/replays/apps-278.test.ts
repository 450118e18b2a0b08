/**
 * https://github.com/operate-first/apps/issues/278 (also emberstack/kubernetes-reflector 435): a controller that copies
 * Secrets copies their labels and annotations too, so that a controller that goes by these owns the copy as well.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { resourcePath, SECRETS } from '../../../src/api/names.ts';
import { deleteSecret } from '../support/edits.ts';
import {
  authorityStatusOf,
  clientCertificate,
  conditionOf,
  create,
  createAuthority,
  selfManaged,
  statusOf,
  untilReady,
} from '../support/objects.ts';
import { plainApi } from '../support/plain-api.ts';
import { signatures } from '../support/recorded.ts';
import { oneScene } from '../support/scene.ts';
import { eventually, type World } from '../support/world.ts';

/** For this long nothing is written. */
const QUIET_MS = 3_000;
/** The ledger of an authority is written 5 s after a Secret is gone. */
const LEDGER_MS = 6_000;
const LEDGER = 'ca-ca-ledger';
const SOURCES = ['alice-tls', 'ca-ca-v1'];

async function versionsIn(world: World, namespace: string): Promise<string[]> {
  const { items } = await world.client.list(SECRETS, { namespace });
  return items
    .map(({ metadata }) => `${metadata?.name} ${metadata?.resourceVersion}`)
    .filter((each) => !each.startsWith('copy-') && !each.startsWith(`${LEDGER} `))
    .sort();
}

const scene = oneScene({}, async ({ world, namespace: home }) => {
  const other = await world.namespace();
  await createAuthority(world, selfManaged(other));
  for (const namespace of [home, other]) {
    await create(world, clientCertificate(namespace, 'alice'));
    await untilReady(world, namespace, 'alice');
  }
  const before = [await versionsIn(world, home), await versionsIn(world, other)];
  const sources = await Promise.all(SOURCES.map((name) => world.client.get(SECRETS, home, name)));
  for (const namespace of [home, other])
    for (const { metadata, type, data } of sources.filter((each) => each !== undefined)) {
      const { name, labels, annotations } = metadata ?? {};
      const copy = { metadata: { name: `copy-${name}`, labels, annotations }, type, data };
      await plainApi(world.cluster).send('POST', resourcePath(SECRETS, namespace), copy);
    }
  await sleep(QUIET_MS);
  return { home, other, before };
});
test.after(scene.stop);

test('copies of Secrets with all their marks sign nothing, write no Secret, and take nothing away', async () => {
  const { world, controller, home, other, before } = await scene.get();
  assert.equal([await versionsIn(world, home), await versionsIn(world, other)], before);
  for (const namespace of [home, other]) {
    assert.is(signatures(controller, namespace, 'alice'), 1);
    assert.is(conditionOf(await statusOf(world, namespace, 'alice'), 'Ready')?.reason, 'Issued');
  }
});

test('the copy of a CA generation is reported by the authority, which goes on, until it is removed', async () => {
  const { world, home, other } = await scene.get();
  for (const namespace of [home, other]) {
    const status = await authorityStatusOf(world, namespace, 'ca');
    assert.is(conditionOf(status, 'Ready')?.status, 'True');
    assert.match(conditionOf(status, 'ForeignGeneration')?.message ?? '', `${namespace}/copy-ca-ca-v1`);
    for (const name of SOURCES) await deleteSecret(world, namespace, `copy-${name}`);
    await eventually(
      'it is told of no more',
      async () => conditionOf(await authorityStatusOf(world, namespace, 'ca'), 'ForeignGeneration') === undefined,
    );
  }
});

test('after the copies are gone, no certificate and no CA has changed, and no ledger lists what its namespace still holds', async () => {
  const { world, controller, home, other, before } = await scene.get();
  await sleep(LEDGER_MS);
  assert.equal([await versionsIn(world, home), await versionsIn(world, other)], before);
  for (const namespace of [home, other]) assert.is(signatures(controller, namespace, 'alice'), 1);
  assert.is(await world.client.get(SECRETS, home, LEDGER), undefined);
});

test.run();

import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { AUDIT_CHECKPOINT_NAME } from '../../../src/api/books-names.ts';
import { CONFIG_MAPS } from '../../../src/api/names.ts';
import { readCheckpoints } from '../../../src/audit/checkpoint.ts';
import { renewAt } from '../support/edits.ts';
import { clientCertificate, create, createAuthority, selfManaged, statusOf, untilReady } from '../support/objects.ts';
import { eventually, oneWorld, type World } from '../support/world.ts';
import { audit, checkpointIn, eventsIn, logFolder, watchSerials } from './support.ts';

const NAMES = Array.from({ length: 12 }, (_, index) => `client-${index}`);
const ROUNDS = 4;

const shared = oneWorld();
test.after(shared.stop);

async function begin(world: World) {
  const namespace = await world.namespace();
  const folder = logFolder(world);
  const serials = await watchSerials(world, namespace);
  await createAuthority(world, selfManaged(namespace));
  const flags = ['--namespaces', namespace, '--controller-namespace', namespace];
  const start = (name: string) => world.controller([...flags, '--audit-log', join(folder, name)]);
  return { namespace, folder, serials, start };
}

async function renewAll(world: World, namespace: string): Promise<void> {
  for (const name of NAMES) await renewAt(world, namespace, name);
}

async function untilRevisions(world: World, namespace: string, least: number): Promise<void> {
  await eventually(`all have revision ${least}`, async () => {
    const all = await Promise.all(NAMES.map((name) => statusOf(world, namespace, name)));
    return all.every(({ revision = 0 }) => revision >= least);
  });
}

test('after kills in the midst of renewals every certificate of the cluster is in the log, and its chain is whole', async () => {
  const world = await shared.get();
  const { namespace, folder, serials, start } = await begin(world);
  const log = join(folder, 'audit.log');
  let controller = await start('audit.log');
  for (const name of NAMES) await create(world, clientCertificate(namespace, name));
  for (const name of NAMES) await untilReady(world, namespace, name);
  for (let round = 0; round < ROUNDS; round++) {
    const renewed = renewAll(world, namespace);
    await sleep(20 + 40 * round);
    await controller.kill();
    await renewed;
    controller = await start('audit.log');
    await untilRevisions(world, namespace, round + 2);
  }
  const shown = await serials();
  assert.is(await controller.stop(), 0);
  const signed = eventsIn(log, 'signed').map(({ serial }) => String(serial));
  assert.is(new Set(signed).size, signed.length, 'a serial number is in the log twice');
  const unknown = shown.filter(({ serial }) => !signed.includes(serial));
  assert.equal(unknown, [], 'the API server has held certificates that the log does not know');
  const { code, printed } = await audit('verify', '--log', log, ...checkpointIn(world, namespace));
  assert.is(code, 0, printed);
  assert.is(printed.match(/still runs, or was killed/g)?.length, ROUNDS, printed);
  const never = signed.filter((serial) => !shown.some((each) => each.serial === serial));
  for (const serial of never) {
    const { printed: told } = await audit('who', serial, '--log', log);
    assert.match(told, /published: +never, as far as these files say/);
  }
  console.log(`${signed.length} signed, ${shown.length} published, ${never.length} signed and never published`);
});

test('two active replicas have files of their own, and together they are what the cluster has held', async () => {
  const world = await shared.get();
  const { namespace, folder, serials, start } = await begin(world);
  const replicas = [await start('one.log'), await start('two.log')];
  for (const name of NAMES) await create(world, clientCertificate(namespace, name));
  for (const name of NAMES) await untilReady(world, namespace, name);
  await renewAll(world, namespace);
  await untilRevisions(world, namespace, 2);
  const shown = await serials();
  for (const each of replicas) assert.is(await each.stop(), 0);
  const files = [join(folder, 'one.log'), join(folder, 'two.log')];
  const signed = files.flatMap((file) => eventsIn(file, 'signed')).map(({ serial }) => String(serial));
  assert.is(new Set(signed).size, signed.length);
  assert.equal(
    shown.filter(({ serial }) => !signed.includes(serial)),
    [],
  );
  // A replica that loses a race has signed for nothing, and that is told too.
  const published = files.flatMap((file) => eventsIn(file, 'published')).map(({ serial }) => String(serial));
  assert.equal([...new Set(published)].sort(), shown.map(({ serial }) => serial).sort());
  const { code, printed } = await audit('verify', '--log', ...files, ...checkpointIn(world, namespace));
  assert.is(code, 0, printed);
  const map = await world.client.get(CONFIG_MAPS, namespace, AUDIT_CHECKPOINT_NAME);
  assert.is(readCheckpoints(map ?? {}).length, 2);
});

test('without the flag there is neither a file nor a checkpoint', async () => {
  const world = await shared.get();
  const namespace = await world.namespace();
  await createAuthority(world, selfManaged(namespace));
  const controller = await world.controller(['--namespaces', namespace, '--controller-namespace', namespace]);
  await create(world, clientCertificate(namespace, 'client'));
  await untilReady(world, namespace, 'client');
  assert.is(await controller.stop(), 0);
  assert.is(await world.client.get(CONFIG_MAPS, namespace, AUDIT_CHECKPOINT_NAME), undefined);
});

test('a file that can not be opened ends the start with a reason', async () => {
  const world = await shared.get();
  const path = join(logFolder(world), 'missing', 'audit.log');
  const controller = world.launch(['--audit-log', path]);
  assert.is((await controller.exited).code, 1);
  assert.match(controller.errors.join('\n'), `certwheel: --audit-log ${path} can't be opened for writing`);
  assert.not(existsSync(path));
});

test.run();

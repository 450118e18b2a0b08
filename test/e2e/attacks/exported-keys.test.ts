import { setTimeout as sleep } from 'node:timers/promises';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { SECRETS } from '../../../src/api/names.ts';
import { createSecret, patchCertificate, patchSecret } from '../support/edits.ts';
import { eventually, QUIET_MS } from '../support/eventually.ts';
import { lazily } from '../support/lazily.ts';
import {
  clientCertificate,
  conditionOf,
  create,
  createAuthority,
  readSecret,
  selfManaged,
  untilReady,
} from '../support/objects.ts';
import { eventsOf, signatures } from '../support/recorded.ts';
import { oneWorld, type World } from '../support/world.ts';

// The attack: a user who may write ClientCertificates and may not read Secrets has a replicator copy the Secret, with its
// private key, into a namespace whose Secrets this user may read.

const REPLICATE = 'replicator.v1.mittwald.de/replicate-to';

const shared = oneWorld();
test.after(shared.stop);

const scene = lazily(async () => {
  const world = await shared.get();
  const [guarded, open, loot] = [await world.namespace(), await world.namespace(), await world.namespace()];
  const [controller] = await Promise.all([
    world.controller(['--namespaces', guarded]),
    world.controller(['--namespaces', open, '--denied-template-prefixes=']),
  ]);
  for (const namespace of [guarded, open]) await createAuthority(world, selfManaged(namespace));
  return { world, controller, guarded, open, loot };
});

/** What kubernetes-replicator does at each change of a Secret: copies it to the namespaces that its annotation names. */
async function replicate(world: World, namespace: string): Promise<number> {
  const { items } = await world.client.list(SECRETS, { namespace });
  let copies = 0;
  for (const { metadata, data } of items) {
    const target = metadata?.annotations?.[REPLICATE];
    if (target === undefined) continue;
    await createSecret(world, target, `${namespace}-${metadata?.name}`, { data });
    copies += 1;
  }
  return copies;
}

test('a template that makes a replicator copy the key is refused, and no key is made', async () => {
  const { world, controller, guarded, loot } = await scene.get();
  await create(world, clientCertificate(guarded, 'thief', { secretTemplate: { annotations: { [REPLICATE]: loot } } }));
  const status = await untilReady(world, guarded, 'thief', { status: 'False', reason: 'TemplateKeyDenied' });
  const { message = '' } = conditionOf(status, 'Ready') ?? {};
  assert.match(message, REPLICATE);
  assert.match(message, '--denied-template-prefixes');
  assert.is(conditionOf(status, 'Stalled')?.reason, 'TemplateKeyDenied');
  await eventually('an event says so', async () => (await eventsOf(world, guarded, 'thief')).length > 0);
  await sleep(QUIET_MS);
  assert.is(signatures(controller, guarded, 'thief'), 0);
  assert.is(await readSecret(world, guarded, 'thief-tls'), undefined);
  assert.is(await replicate(world, guarded), 0);
});

test('an issued certificate gets no such annotation, not even when its Secret is written for its CA', async () => {
  const { world, guarded, loot } = await scene.get();
  await create(world, clientCertificate(guarded, 'later', { secretTemplate: { annotations: { team: 'shop' } } }));
  await untilReady(world, guarded, 'later');
  const before = await readSecret(world, guarded, 'later-tls');
  await patchCertificate(world, guarded, 'later', { spec: { secretTemplate: { annotations: { [REPLICATE]: loot } } } });
  await untilReady(world, guarded, 'later', { type: 'Stalled', reason: 'TemplateKeyDenied' });
  // A foreign bundle makes Certwheel repair the Secret, although the resource stays refused.
  const other = await readSecret(world, guarded, 'later-tls');
  const twice = Buffer.from(`${other?.bundle}${other?.bundle}`).toString('base64');
  await patchSecret(world, guarded, 'later-tls', { data: { 'ca.crt': twice } });
  const after = await eventually('its bundle is repaired', async () => {
    const now = await readSecret(world, guarded, 'later-tls');
    return now?.bundle === before?.bundle && now;
  });
  assert.is(after.annotations[REPLICATE], undefined);
  assert.is(after.annotations.team, 'shop');
  assert.is(after.key, before?.key);
  assert.is(await replicate(world, guarded), 0);
});

test('a template without such a key is issued, and a refused one is issued once the key is removed', async () => {
  const { world, guarded, loot } = await scene.get();
  const annotations = { 'reloader.stakater.com/match': 'true' };
  await create(world, clientCertificate(guarded, 'honest', { secretTemplate: { annotations } }));
  await untilReady(world, guarded, 'honest');
  assert.is((await readSecret(world, guarded, 'honest-tls'))?.annotations['reloader.stakater.com/match'], 'true');
  await create(world, clientCertificate(guarded, 'sorry', { secretTemplate: { annotations: { [REPLICATE]: loot } } }));
  await untilReady(world, guarded, 'sorry', { status: 'False', reason: 'TemplateKeyDenied' });
  await patchCertificate(world, guarded, 'sorry', { spec: { secretTemplate: { annotations: null } } });
  await untilReady(world, guarded, 'sorry');
});

test('with an empty list of prefixes the same template is accepted, and the key is copied', async () => {
  const { world, open, loot } = await scene.get();
  await create(world, clientCertificate(open, 'thief', { secretTemplate: { annotations: { [REPLICATE]: loot } } }));
  await untilReady(world, open, 'thief');
  assert.is(await replicate(world, open), 1);
  const [own, copy] = [await readSecret(world, open, 'thief-tls'), await readSecret(world, loot, `${open}-thief-tls`)];
  assert.match(copy?.key ?? '', 'PRIVATE KEY');
  assert.is(copy?.key, own?.key);
});

test.run();

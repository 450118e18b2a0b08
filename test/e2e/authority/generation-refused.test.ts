import { setTimeout as sleep } from 'node:timers/promises';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { resourcePath, SECRETS } from '../../../src/api/names.ts';
import type { RawObject } from '../../../src/api/parse.ts';
import { writesTo } from '../process/support/audit.ts';
import { alterSecrets, refuseSecrets } from '../support/admission.ts';
import { createSecretAuthority, pairData, putCaSecret } from '../support/ca-secret.ts';
import { eventually } from '../support/eventually.ts';
import { lazily } from '../support/lazily.ts';
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
import { makeCa } from '../support/openssl.ts';
import { plainApi } from '../support/plain-api.ts';
import { eventsOf } from '../support/recorded.ts';
import { oneScene } from '../support/scene.ts';
import type { World } from '../support/world.ts';

const OF_GENERATIONS = 'has(object.metadata.labels) && "certwheel.io/authority-name" in object.metadata.labels';
/** The first thirty steps at once, then one in twenty seconds. */
const MOST_STEPS = 30 + 1;
/** Reconciles come after 1, 2, 4, 8 and 16 s. */
const SOME_RECONCILES_MS = 35_000;

/** For this long no second generation stays. */
const QUIET_MS = 5_000;
/** For this long generations are deleted, one every 50 ms at most. */
const DELETED_FOR_MS = 15_000;

const scene = oneScene({ authority: false, flags: ['--trust-propagation', '1s'] });
test.after(scene.stop);
/** An authority that has been in trouble since the first test. */
const broken = lazily(async () => {
  const { world } = await scene.get();
  const namespace = await world.namespace();
  await createSecretAuthority(world, namespace, 'ca', 'nowhere');
  await untilAuthority(world, namespace, 'Ready', 'CASecretNotFound');
  return { namespace, sinceMs: Date.now() };
});

function untilAuthority(world: World, namespace: string, type: string, reason: string) {
  return eventually(`${type} of the authority says ${reason}`, async () => {
    const found = conditionOf(await authorityStatusOf(world, namespace, 'ca'), type);
    return found?.reason === reason && found;
  });
}

async function generationsIn({ client }: World, namespace: string): Promise<readonly RawObject[]> {
  const { items } = await client.list(SECRETS, { namespace });
  return items.filter(({ metadata }) => metadata?.name?.includes('-ca-v') === true);
}

test('a CA generation that the API server refuses to store is reported by the authority, in an event and by its certificates', async () => {
  const { world } = await scene.get();
  const namespace = await world.namespace();
  await broken.get();
  const policy = await refuseSecrets(world, namespace, 'no CA keys here', [OF_GENERATIONS]);
  await createAuthority(world, selfManaged(namespace));
  await create(world, clientCertificate(namespace, 'alice'));
  const { status, message } = await untilAuthority(world, namespace, 'Ready', 'SecretRefused');
  assert.is(status, 'False');
  assert.match(message, /no CA keys here/);
  await untilReady(world, namespace, 'alice', { type: 'Issuing', reason: 'AuthorityNotReady' });
  assert.match(conditionOf(await statusOf(world, namespace, 'alice'), 'Issuing')?.message ?? '', /no CA keys here/);
  await eventually('an event tells', async () =>
    (await eventsOf(world, namespace, 'ca')).some(({ reason }) => reason === 'SecretRefused'),
  );
  await policy.lift();
  await untilReady(world, namespace, 'alice');
});

test('a successor that the API server refuses to store stalls the authority, which goes on issuing', async () => {
  const { world } = await scene.get();
  const namespace = await world.namespace();
  await putCaSecret(world, namespace, 'pair', pairData(await makeCa('First')));
  await createSecretAuthority(world, namespace, 'ca', 'pair');
  await untilAuthority(world, namespace, 'Ready', 'Verified');
  const policy = await refuseSecrets(world, namespace, 'no other CA keys here', [OF_GENERATIONS]);
  await putCaSecret(world, namespace, 'pair', pairData(await makeCa('Second')));
  const { message } = await untilAuthority(world, namespace, 'Stalled', 'SecretRefused');
  assert.match(message, /no other CA keys here.*generation 1 stays in use/);
  await create(world, clientCertificate(namespace, 'alice'));
  await untilReady(world, namespace, 'alice');
  await policy.lift();
  await eventually('the successor is there', async () => (await generationsIn(world, namespace)).length === 2);
});

test('a CA generation that would lose its marks is not left behind, and the authority reports it', async () => {
  const { world } = await scene.get();
  const namespace = await world.namespace();
  const patch = 'JSONPatch{op: "remove", path: "/metadata/labels/certwheel.io~1authority-name"}';
  const policy = await alterSecrets(world, namespace, patch, [OF_GENERATIONS]);
  await createAuthority(world, selfManaged(namespace));
  const { message } = await untilAuthority(world, namespace, 'Ready', 'SecretAltered');
  assert.match(message, /certwheel\.io\/authority-name/);
  await sleep(QUIET_MS);
  assert.ok((await generationsIn(world, namespace)).length <= 1, 'at most the one that is written at this moment');
  await policy.lift();
  await untilAuthority(world, namespace, 'Ready', 'Verified');
  await eventually('one generation is left', async () => (await generationsIn(world, namespace)).length === 1);
});

test('generations that are deleted again and again are created ever more slowly, and the authority reports it', async () => {
  const { world } = await scene.get();
  const namespace = await world.namespace();
  await createAuthority(world, selfManaged(namespace));
  await untilAuthority(world, namespace, 'Ready', 'Verified');
  const api = plainApi(world.cluster);
  const endsAt = Date.now() + DELETED_FOR_MS;
  const seen = new Set<string>();
  for (; Date.now() < endsAt; await sleep(50))
    for (const { metadata: { name = '' } = {} } of await generationsIn(world, namespace)) {
      seen.add(name);
      await api.send('DELETE', resourcePath(SECRETS, namespace, name));
    }
  assert.ok(seen.size > 3 && seen.size <= MOST_STEPS, `${seen.size} generations`);
  const { status, message } = await untilAuthority(world, namespace, 'Ready', 'SecretContested');
  assert.is(status, 'False');
  assert.match(message, /deleted again and again/);
  await untilAuthority(world, namespace, 'Ready', 'Verified');
});

test('the status of an authority whose CA Secret is missing is written once, and not at each reconcile', async () => {
  const { world } = await scene.get();
  const { namespace, sinceMs } = await broken.get();
  await sleep(Math.max(0, sinceMs + SOME_RECONCILES_MS - Date.now()));
  assert.is((await writesTo(world, 'certificateauthorities/status', namespace, 'ca')).length, 1);
  await putCaSecret(world, namespace, 'nowhere', pairData(await makeCa('Found')));
  await untilAuthority(world, namespace, 'Ready', 'Verified');
});

test.run();

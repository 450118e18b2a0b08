import { setTimeout as sleep } from 'node:timers/promises';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { CERTIFICATE_AUTHORITIES, CLIENT_CERTIFICATES, SECRETS } from '../../../src/api/names.ts';
import type { RawObject } from '../../../src/api/parse.ts';
import { patchSecret, restoreSecret } from '../support/edits.ts';
import { eventually, QUIET_MS } from '../support/eventually.ts';
import { clientCertificate, conditionOf, create, readSecret, untilReady } from '../support/objects.ts';
import { oneWorld, type World } from '../support/world.ts';
import { generationSecrets, type Swap, startSwap } from './swap.ts';

/** So long that a rotation makes no further step. */
const HELD = ['--trust-propagation', '1h'];
const UIDS = 'certwheel.io/generation-uids';
const NAMESPACE = 'certwheel.io/generation-namespace';

const shared = oneWorld();
test.after(shared.stop);

/** A swap that is held after its first step: v1 signs, v2 is prepared. */
async function heldSwap(world: World): Promise<Swap> {
  const swap = await startSwap(world, { clients: ['alice'], duration: '24h' });
  await untilReady(world, swap.namespace, 'alice');
  await swap.put(swap.cas.v2);
  await eventually('every ca.crt has both', () => {
    const last = [...swap.history.before(swap.history.states.length).values()];
    return last.every(({ trusted }) => trusted.join() === 'v1,v2');
  });
  return swap;
}

/** Both generations, each with a mark that names itself. */
function untilMarked(world: World, namespace: string) {
  return eventually('both generations carry their mark', async () => {
    const all = await generationSecrets(world, namespace);
    const isMarked = ({ metadata }: RawObject) =>
      metadata?.annotations?.[UIDS]?.split(',').includes(metadata.uid ?? '') === true;
    return all.length === 2 && all.every(isMarked) && all;
  });
}

const namesOf = (secrets: readonly RawObject[]) => secrets.map(({ metadata }) => metadata?.name).sort();

test('generations of a version that wrote no marks are taken over during a rotation, and nothing is re-issued', async () => {
  const world = await shared.get();
  const controller = await world.controller(HELD);
  const swap = await heldSwap(world);
  const { namespace } = swap;
  await controller.stop();
  for (const name of ['ca-ca-v1', 'ca-ca-v2'])
    await patchSecret(world, namespace, name, { metadata: { annotations: { [UIDS]: null, [NAMESPACE]: null } } });
  const before = await serialOf(world, namespace);
  const upgraded = await world.controller(HELD);
  assert.equal(namesOf(await untilMarked(world, namespace)), ['ca-ca-v1', 'ca-ca-v2']);
  await sleep(QUIET_MS);
  assert.is(conditionOf(await swap.status(), 'ForeignGeneration'), undefined);
  assert.is(await serialOf(world, namespace), before);
  await upgraded.stop();
  const going = await world.controller(['--trust-propagation', '1s']);
  await eventually('the rotation goes on', async () => {
    const state = (await swap.status()).generations?.find(({ version }) => version === 2)?.state;
    return state === 'Active';
  });
  await going.stop();
  await swap.stop();
  assert.equal(swap.traffic.failures(), []);
});

test('an authority that is restored with its generations, under new uids, keeps its CAs', async () => {
  const world = await shared.get();
  const controller = await world.controller(HELD);
  const swap = await heldSwap(world);
  const { namespace } = swap;
  await swap.stop();
  await controller.stop();
  const names = ['ca-ca-v1', 'ca-ca-v2'];
  const backup = await Promise.all(names.map((name) => world.client.get(SECRETS, namespace, name)));
  const authority = await world.client.get(CERTIFICATE_AUTHORITIES, namespace, 'ca');
  await world.client.delete(CERTIFICATE_AUTHORITIES, namespace, 'ca');
  await world.client.delete(CLIENT_CERTIFICATES, namespace, 'alice');
  for (const name of names) await world.client.delete(SECRETS, namespace, name);

  for (const each of backup) if (each !== undefined) await restoreSecret(world, namespace, each);
  const { spec } = authority as { spec: object };
  await world.client.create(CERTIFICATE_AUTHORITIES, { metadata: { namespace, name: 'ca' }, spec });
  const restored = await world.controller(HELD);
  await untilMarked(world, namespace);
  await create(world, clientCertificate(namespace, 'bob'));
  await untilReady(world, namespace, 'bob');
  const secret = await readSecret(world, namespace, 'bob-tls');
  assert.ok(secret?.leaf.verify(swap.cas.v1.x509.publicKey), 'what signed before signs');
  const status = await swap.status();
  assert.equal(
    status.generations?.map(({ version, state }) => [version, state]),
    [
      [2, 'Prepared'],
      [1, 'Active'],
    ],
  );
  assert.is(conditionOf(status, 'ForeignGeneration'), undefined);
  await restored.stop();
});

async function serialOf(world: World, namespace: string): Promise<string | undefined> {
  return (await readSecret(world, namespace, 'alice-tls'))?.leaf.serialNumber;
}

test.run();

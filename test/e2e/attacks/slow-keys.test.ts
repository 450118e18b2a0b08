import { test } from 'uvu';
import * as assert from 'uvu/assert';
import {
  clientCertificate,
  conditionOf,
  create,
  createAuthority,
  selfManaged,
  statusOf,
  untilReady,
} from '../support/objects.ts';
import { oneWorld } from '../support/world.ts';

// The attack: a tenant asks for many RSA keys of 4096 bits, each of which takes a second or more to make, so that no worker is
// left for others.

const shared = oneWorld();
test.after(shared.stop);

const MANY = 60;

test('a neighbour is not kept waiting by the keys of another namespace', async () => {
  const world = await shared.get();
  const [attacker, neighbour] = [await world.namespace(), await world.namespace()];
  await world.controller();
  for (const namespace of [attacker, neighbour]) {
    await createAuthority(world, selfManaged(namespace));
    await create(world, clientCertificate(namespace, 'first'));
    await untilReady(world, namespace, 'first');
  }
  const slow = { privateKey: { algorithm: 'RSA', size: 4096 }, duration: '1m' };
  const names = Array.from({ length: MANY }, (_, index) => `slow-${index}`);
  for (const name of names) await create(world, clientCertificate(attacker, name, slow));
  await create(world, clientCertificate(neighbour, 'quick'));
  await untilReady(world, neighbour, 'quick');
  const statuses = await Promise.all(names.map((name) => statusOf(world, attacker, name)));
  const made = statuses.filter((status) => conditionOf(status, 'Ready')?.status === 'True').length;
  assert.ok(made < MANY / 3, `${made} of ${MANY} were made before that of the neighbour`);
  // And they are made, one after the other.
  await untilReady(world, attacker, 'slow-0', {}, 120_000);
});

test.run();

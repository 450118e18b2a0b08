import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { eventually } from '../support/eventually.ts';
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
const QUICK = 12;

// An authority with a rate limit has a turnstile of its own, as those on other machines have.
const RATE = { requests: 100, per: 'Second', burst: 100 };

for (const [what, spec] of [
  ['an authority without a limit', {}],
  ['an authority with a rate limit', { rateLimit: RATE }],
] as const)
  test(`a neighbour is not kept waiting by the keys of another namespace, from ${what}`, () => attack(spec));

async function attack(spec: Record<string, unknown>): Promise<void> {
  const world = await shared.get();
  const [attacker, neighbour] = [await world.namespace(), await world.namespace()];
  // One that makes a key couldn't do anything else.
  const controller = await world.controller(['--workers', '1']);
  for (const namespace of [attacker, neighbour]) {
    await createAuthority(world, selfManaged(namespace, 'ca', spec));
    await create(world, clientCertificate(namespace, 'first'));
    await untilReady(world, namespace, 'first');
  }
  const slow = { privateKey: { algorithm: 'RSA', size: 4096 }, duration: '1h' };
  const names = Array.from({ length: MANY }, (_, index) => `slow-${index}`);
  for (const name of names) await create(world, clientCertificate(attacker, name, slow));
  const made = async () => {
    const statuses = await Promise.all(names.map((name) => statusOf(world, attacker, name)));
    return statuses.filter((status) => conditionOf(status, 'Ready')?.status === 'True').length;
  };
  const before = await made();
  for (let n = 0; n < QUICK; n++) {
    await create(world, clientCertificate(neighbour, `quick-${n}`));
    await untilReady(world, neighbour, `quick-${n}`);
  }
  const meanwhile = (await made()) - before;
  assert.ok(meanwhile < QUICK / 2, `${meanwhile} keys were made while ${QUICK} certificates were waited for in turn`);
  // And they are made, one after the other.
  await eventually('some are made', async () => (await made()) > 0, 120_000);
  await controller.stop();
}

test.run();

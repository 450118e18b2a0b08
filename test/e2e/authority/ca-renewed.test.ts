import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { eventually, oneWorld } from '../support/world.ts';
import { type CaFiles, makeCa } from './ca-files.ts';
import { generationSecrets, type Swap, startSwap } from './swap.ts';

const shared = oneWorld();
test.after(shared.stop);

/** All at once, since most of their time is waiting. */
let swaps: Promise<Record<'sameName' | 'newName' | 'otherRoot', Swap>> | undefined;
function running() {
  swaps ??= startAll();
  return swaps;
}

async function startAll() {
  const world = await shared.get();
  await world.controller(['--trust-propagation', '3s']);
  const v1 = await makeCa({ commonName: 'Renewed' });
  const again = await makeCa({ commonName: 'Renewed', key: v1.key });
  const renamed = await makeCa({ commonName: 'Renamed', key: v1.key });
  const roots = await Promise.all(['Root 1', 'Root 2'].map((commonName) => makeCa({ commonName })));
  const below = await makeCa({ commonName: 'Intermediate', issuer: roots[0] as CaFiles });
  const moved = await makeCa({ commonName: 'Intermediate', issuer: roots[1] as CaFiles, key: below.key });
  const [sameName, newName, otherRoot] = await Promise.all([
    startSwap(world, { cas: { v1, v2: again, v3: again } }),
    startSwap(world, { cas: { v1, v2: renamed, v3: renamed } }),
    startSwap(world, { cas: { v1: below, v2: moved, v3: moved } }),
  ]);
  for (const swap of [sameName, newName, otherRoot]) await swap.put(swap.cas.v2);
  return { sameName, newName, otherRoot };
}

for (const [name, what] of [
  ['sameName', 'a CA that is renewed under its old key and name'],
  ['newName', 'a CA that is renewed under its old key and another name'],
  ['otherRoot', 'an intermediate CA that moves to another root with its key'],
] as const) {
  test(`${what} is swapped without a failed handshake, and nobody is re-issued in vain`, async () => {
    const world = await shared.get();
    const swap = (await running())[name];
    const { history, traffic, namespace, cas } = swap;
    await swap.untilOnly(cas.v2);
    const before = traffic.handshakes();
    await eventually('there is traffic at the end', () => traffic.handshakes() > before + 50);
    await swap.stop();
    assert.equal(traffic.failures(), []);
    const serials = new Map<string, Set<string>>();
    for (const {
      name: secret,
      secret: { leaf },
    } of history.states)
      serials.set(secret, (serials.get(secret) ?? new Set()).add(leaf.serialNumber));
    // The first, the one after the swap, and a routine renewal in between at most.
    for (const [secret, seen] of serials) assert.ok(seen.size <= 3, `${secret} had ${seen.size} certificates`);
    assert.is((await generationSecrets(world, namespace)).length, 1);
  });
}

test.run();

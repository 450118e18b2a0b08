import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { eventually } from '../support/eventually.ts';
import { type CaFiles, makeCa } from '../support/openssl.ts';
import { oneScene } from '../support/scene.ts';
import { generationSecrets, startSwap } from './swap.ts';

/** All swaps at the same time, since most of their time is waiting. */
const scene = oneScene({ authority: false, flags: ['--trust-propagation', '3s'] }, async ({ world }) => {
  const v1 = await makeCa('Renewed');
  const again = await makeCa('Renewed', { key: v1.key });
  const renamed = await makeCa('Renamed', { key: v1.key });
  const roots = await Promise.all(['Root 1', 'Root 2'].map((commonName) => makeCa(commonName)));
  const below = await makeCa('Intermediate', { issuer: roots[0] as CaFiles });
  const moved = await makeCa('Intermediate', { issuer: roots[1] as CaFiles, key: below.key });
  const [sameName, newName, otherRoot] = await Promise.all([
    startSwap(world, { cas: { v1, v2: again, v3: again } }),
    startSwap(world, { cas: { v1, v2: renamed, v3: renamed } }),
    startSwap(world, { cas: { v1: below, v2: moved, v3: moved } }),
  ]);
  for (const swap of [sameName, newName, otherRoot]) await swap.put(swap.cas.v2);
  return { swaps: { sameName, newName, otherRoot } };
});
test.after(scene.stop);

for (const [name, what] of [
  ['sameName', 'a CA that is renewed under its old key and name'],
  ['newName', 'a CA that is renewed under its old key and another name'],
  ['otherRoot', 'an intermediate CA that moves to another root with its key'],
] as const) {
  test(`${what} is swapped without a failed handshake, and no certificate is re-issued in vain`, async () => {
    const { world, swaps } = await scene.get();
    const swap = swaps[name];
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
    // At most the first, the one after the swap, and a routine renewal between them.
    for (const [secret, seen] of serials) assert.ok(seen.size <= 3, `${secret} had ${seen.size} certificates`);
    assert.is((await generationSecrets(world, namespace)).length, 1);
  });
}

test.run();

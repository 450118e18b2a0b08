import { setTimeout as sleep } from 'node:timers/promises';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { eventually, oneWorld } from '../support/world.ts';
import { startSwap } from './swap.ts';

/** A swap takes about this long. */
const SWAP_MS = 12_000;
const KILLS = 4;

const shared = oneWorld();
test.after(shared.stop);

test('a controller that is killed at random moments in the middle of swaps goes on with them, and no handshake fails', async () => {
  const world = await shared.get();
  const args = ['--trust-propagation', '3s'];
  let controller = await world.controller(args);
  const swaps = await Promise.all([1, 2, 3].map(() => startSwap(world, { clients: ['alice', 'bob'] })));
  // Shifted against each other, so that one kill hits each of them in another step.
  const started = swaps.map(async (swap, index) => {
    await sleep(index * 1_500);
    await swap.put(swap.cas.v2);
  });
  const killedAfterMs: number[] = [];
  for (let kill = 0; kill < KILLS; kill++) {
    const ms = Math.round((Math.random() * SWAP_MS) / KILLS);
    killedAfterMs.push(ms);
    // At a random moment.
    await sleep(ms);
    await controller.kill();
    controller = await world.controller(args);
  }
  await Promise.all(started);
  const told = `killed ${killedAfterMs.join(', ')} ms after its start`;
  await Promise.all(swaps.map((swap) => swap.untilOnly(swap.cas.v2)));
  const before = swaps.map(({ traffic }) => traffic.handshakes());
  await eventually('there is traffic at the end', () =>
    swaps.every(({ traffic }, index) => traffic.handshakes() > (before[index] ?? 0) + 30),
  );
  await Promise.all(swaps.map((swap) => swap.stop()));
  for (const { traffic, history } of swaps) {
    assert.equal(traffic.failures(), [], told);
    for (const { issuer, trusted } of history.states) assert.ok(trusted.includes(issuer), told);
  }
});

test.run();

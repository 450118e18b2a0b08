/** The controller is killed after each write of a CA rotation, and of its roll-back, while clients shake hands all the time. */
import { setTimeout as sleep } from 'node:timers/promises';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { ROLLBACK_CA_ANNOTATION } from '../../../src/api/names.ts';
import { generationSecrets, type Swap, startSwap } from '../authority/swap.ts';
import { patchAuthority } from '../support/edits.ts';
import { conditionOf } from '../support/objects.ts';
import { eventually, oneWorld, type World } from '../support/world.ts';

const shared = oneWorld();
test.after(shared.stop);

const ARGS = ['--trust-propagation', '3s'];
const POLL_MS = 20;
const PATIENCE_MS = 150_000;

/** What the API server holds of the CA generations; another text after each write. */
async function versions(world: World, namespace: string): Promise<string> {
  const secrets = await generationSecrets(world, namespace);
  return secrets.map(({ metadata }) => `${metadata?.name} ${metadata?.resourceVersion}`).join();
}

/** Kills the controller after each write until `isOver`; returns how often. */
async function killAfterEachWrite(
  world: World,
  { namespace, status }: Swap,
  controller: { current: Awaited<ReturnType<World['controller']>> },
  isOver: () => Promise<boolean>,
): Promise<number> {
  let kills = 0;
  let before = await versions(world, namespace);
  const deadline = performance.now() + PATIENCE_MS;
  while (!(await isOver())) {
    if (performance.now() > deadline) {
      const { generations, caRotation, conditions } = await status();
      const seen = JSON.stringify({ before, generations, caRotation, conditions }, undefined, 1);
      throw new Error(`it is not over after ${PATIENCE_MS} ms and ${kills} kills: ${seen}`);
    }
    await sleep(POLL_MS);
    const now = await versions(world, namespace);
    if (now === before) continue;
    before = now;
    kills++;
    await controller.current.kill();
    controller.current = await world.controller(ARGS);
  }
  return kills;
}

test('a controller that is killed after each write of a CA rotation and of its roll-back goes on, and no handshake fails', async () => {
  const world = await shared.get();
  const controller = { current: await world.controller(ARGS) };
  const swap = await startSwap(world, { clients: ['alice', 'bob'] });
  await eventually('there is traffic', () => swap.traffic.handshakes() > 50);
  const settles = async (version: number) => {
    const status = await swap.status();
    return status.activeGeneration === version && conditionOf(status, 'Rotating') === undefined;
  };
  const signs = async (version: number) => (await swap.status()).activeGeneration === version;

  const leaveAfter = (retireAfter: string) => ({ spec: { caRotation: { retireAfter } } });
  // The test may be slower than the rotation, and a CA that has left can't be taken again.
  await patchAuthority(world, swap.namespace, 'ca', leaveAfter('1h'));
  await swap.put(swap.cas.v2);
  let kills = await killAfterEachWrite(world, swap, controller, () => signs(2));
  const annotations = { [ROLLBACK_CA_ANNOTATION]: '2' };
  await patchAuthority(world, swap.namespace, 'ca', { metadata: { annotations }, ...leaveAfter('0s') });
  kills += await killAfterEachWrite(world, swap, controller, () => settles(1));
  await swap.put(swap.cas.v3);
  kills += await killAfterEachWrite(world, swap, controller, () => settles(3));
  assert.ok(kills >= 12, `${kills} kills`);

  const before = swap.traffic.handshakes();
  await eventually('there is traffic at the end', () => swap.traffic.handshakes() > before + 100);
  await swap.stop();
  assert.equal(swap.traffic.failures(), []);
  for (const { issuer, trusted } of swap.history.states) assert.ok(trusted.includes(issuer));
});

test.run();

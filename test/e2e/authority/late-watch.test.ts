import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { startFaultProxy } from '../kube/fault-proxy.ts';
import { writesTo } from '../process/support/audit.ts';
import { eventually, oneWorld } from '../support/world.ts';
import { startSwap } from './swap.ts';

/** Far later than the answer to a write, so that the controller knows what it wrote before it is told. */
const LATE_MS = 300;

const shared = oneWorld();
test.after(shared.stop);

test('a CA rotation goes on although no watch brings the controller its own writes in time', async () => {
  const world = await shared.get();
  const proxy = await startFaultProxy(world.cluster.kubeconfigPath);
  world.launch(['--trust-propagation', '3s'], proxy.kubeconfigPath);
  await eventually('its watches are open', () => proxy.watches().length >= 6);
  for (const pipe of proxy.watches()) {
    pipe.rewrites.push((line) => {
      setTimeout(() => pipe.inject(line), LATE_MS);
      return [];
    });
  }
  const swap = await startSwap(world, { duration: '1h' });
  await swap.put(swap.cas.v2);
  const { generations = [] } = await eventually('the new CA signs', async () => {
    const status = await swap.status();
    return status.activeGeneration === 2 && status;
  });
  const [swapped] = (await writesTo(world, 'secrets', swap.namespace, 'ca-pair')).slice(-1);
  const signsAfterMs = Date.parse(generations[0]?.since ?? '') - Number(swapped);
  assert.ok(signsAfterMs < 10_000, `${signsAfterMs} ms`);
  await swap.stop();
  assert.equal(swap.traffic.failures(), []);
});

test.run();

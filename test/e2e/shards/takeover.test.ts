import { setTimeout as sleep } from 'node:timers/promises';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { startFaultProxy } from '../kube/fault-proxy.ts';
import { bugs, lines, QUICK } from '../process/support/fleet.ts';
import { startEarly } from '../process/support/start-early.ts';
import { startController } from '../support/controller-process.ts';
import { eventually } from '../support/eventually.ts';
import { loggedAt } from '../support/moments.ts';
import { oneWorld } from '../support/world.ts';
import { Fleet, identityOf } from './fleet.ts';

const COUNT = 16;
const NAMESPACES = 12;
/** What docs/scale.md promises. */
const TAKEOVER_MS = 20_000;
/** When the certificates are due: so soon that it happens while their ranges have no owner. */
const [DUE_FROM_MS, DUE_BY_MS] = [8_000, 10_000];

const shared = oneWorld();
test.after(shared.stop);

/** One is killed while another one is cut off, so that the third has to take everything. */
const story = startEarly(async () => {
  const world = await shared.get();
  const fleet = await Fleet.of(world, NAMESPACES, COUNT);
  const proxy = await startFaultProxy(world.cluster.kubeconfigPath);
  const own = await fleet.kubeconfig();
  const start = (kubeconfig = own) => startController(kubeconfig, fleet.flags);
  const [killed, heir, cutOff] = [await start(), await start(), await start(proxy.kubeconfigPath)];
  const all = [killed, heir, cutOff];
  await fleet.untilHeldBy(all);
  await eventually('each has a share', async () => {
    const owners = await fleet.owners();
    return all.every((each) => owners.filter((owner) => owner === identityOf(each)).length >= 5);
  });
  await fleet.fill(['a', 'b'], QUICK);
  await fleet.untilReady();
  const shares = all.map(({ logs }) => lines(logs, 'signing').length);

  const reconnect = proxy.when(() => true, { kind: 'hang' }, { times: 1_000_000 });
  for (const pipe of proxy.watches()) pipe.freeze();
  await killed.kill();
  await fleet.fill(['late'], QUICK);
  const tookMs = await fleet.untilHeldBy([heir]);
  await fleet.untilReady();
  const identity = identityOf(cutOff);
  reconnect();
  for (const pipe of proxy.watches()) pipe.cut();
  await eventually('the one that was cut off takes part again', () => identityOf(cutOff) !== identity);
  const replacement = await start();
  await fleet.untilHeldBy([heir, cutOff, replacement]);

  const code = await cutOff.stop();
  const stopping = lines(cutOff.logs, 'stopping')[0];
  const givenBack = lines(cutOff.logs, 'shards given back')[0];
  const stopMs = loggedAt(givenBack).getTime() - loggedAt(stopping).getTime();
  await fleet.untilHeldBy([heir, replacement]);
  const stoppedMs = Date.now() - loggedAt(stopping).getTime();
  await sleep(1_000);
  await fleet.untilReady();
  const lives = [...all, replacement].map(({ logs }) => logs);
  const faults = await fleet.faults(lives, DUE_FROM_MS - 1_000);
  const lateMs = fleet.longestAgeMs() - DUE_BY_MS;
  return { shares, tookMs, code, stopMs, stoppedMs, faults, lateMs, found: bugs(lives.flat()) };
});

test('replicas share the work', async () => {
  const { shares } = await story();
  console.log(`# signed by each: ${shares}`);
  assert.ok(shares.filter((each) => each > 0).length >= 2, String(shares));
});

test('one takes over what a killed one and one without a connection had', async () => {
  const { tookMs } = await story();
  console.log(`# taken over after ${Math.round(tookMs)} ms`);
  assert.ok(tookMs < TAKEOVER_MS, `${tookMs} ms`);
});

test('a graceful stop gives the ranges back within a second', async () => {
  const { code, stopMs, stoppedMs } = await story();
  console.log(`# given back after ${stopMs} ms, taken after ${stoppedMs} ms`);
  assert.is(code, 0);
  assert.ok(stopMs < 1_000, `${stopMs} ms`);
});

test('no certificate is issued twice for one reason, and none is later than a takeover takes', async () => {
  const { faults, found, lateMs } = await story();
  console.log(`# the latest renewal was ${lateMs} ms late`);
  assert.ok(lateMs > 0 && lateMs < TAKEOVER_MS, `${lateMs} ms`);
  assert.equal(faults, []);
  assert.equal(found, []);
});

test.run();

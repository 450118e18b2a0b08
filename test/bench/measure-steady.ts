import { setTimeout as sleep } from 'node:timers/promises';
import { CLIENT_CERTIFICATES } from '../../src/api/names.ts';
import { AuditTail, between, type Requests, readsIn, writesIn } from './audit-tail.ts';
import type { BenchWorld } from './bench-world.ts';
import type { Results } from './figures.ts';
import { compareWithFloor, names, rotateAll, untilIssued } from './rate.ts';
import { isReady } from './ready.ts';
import { quantile } from './statistics.ts';

/** The controller under a name of its own, so that the audit log tells its requests from ours. */
const USER = 'bench-controller';
const REST_MS = 20_000;
const QUIET_MS = 3_000;

/** Requests a rotation and a first issue, counted by the API server; and that nothing is written at rest. */
export async function measureRequests(world: BenchWorld): Promise<Results> {
  const count = 200;
  const kubeconfig = await world.cluster.kubeconfigFor(USER, ['system:masters']);
  await world.namespace('requests');
  const controller = await world.controller(['--kubeconfig', kubeconfig, '--namespaces', 'requests']);
  const audit = new AuditTail(world.cluster);
  const start = await untilQuiet(audit);
  await world.create('requests', names('r', count));
  await untilIssued(controller, count);
  const issued = await untilQuiet(audit);
  await rotateAll(controller, count);
  const rotated = await untilQuiet(audit);
  await sleep(REST_MS);
  const rested = between(rotated, await audit.requests(USER));
  await controller.stop();
  const [first, rotation] = [between(start, issued), between(issued, rotated)];
  return {
    firstWrites: { value: writesIn(first) / count },
    writes: { value: writesIn(rotation) / count },
    reads: { value: readsIn(rotation) / count },
    restWrites: { value: writesIn(rested) },
  };
}

/** Events are written behind the work, on a slow machine long after it: they count for the phase that caused them. */
async function untilQuiet(audit: AuditTail): Promise<Requests> {
  for (let before = await audit.requests(USER); ; ) {
    await sleep(QUIET_MS);
    const now = await audit.requests(USER);
    if (writesIn(between(before, now)) === 0) return now;
    before = now;
  }
}

/** From the request that creates a ClientCertificate to the event that shows it Ready, on an otherwise idle system. */
export async function measureLatency(world: BenchWorld, count: number): Promise<Results> {
  await world.namespace('latency');
  const controller = await world.controller(['--namespaces', 'latency']);
  const created = new Map<string, number>();
  const took: number[] = [];
  const { metadata } = await world.client.list(CLIENT_CERTIFICATES, { namespace: 'latency', limit: 1 });
  const watch = await world.client.watch(CLIENT_CERTIFICATES, {
    namespace: 'latency',
    resourceVersion: metadata.resourceVersion,
    timeoutSeconds: 300,
    idleMs: 300_000,
  });
  const seen = (async () => {
    for await (const { object } of watch) {
      const { name = '' } = (object as { metadata?: { name?: string } }).metadata ?? {};
      const startedMs = created.get(name);
      if (startedMs === undefined || !isReady(object)) continue;
      took.push(performance.now() - startedMs);
      created.delete(name);
      if (took.length === count) return;
    }
  })();
  for (const name of names('l', count)) {
    created.set(name, performance.now());
    await world.create('latency', [name]);
    await sleep(40);
  }
  await seen;
  watch.abort();
  await controller.stop();
  return { readyP50: { value: quantile(took, 0.5) }, readyP99: { value: quantile(took, 0.99) } };
}

/** The rate of rotations against the floor writer's, and what a rotation costs the controller. */
export async function measureRate(
  world: BenchWorld,
  count: number,
  repeats: number,
): Promise<{ readonly results: Results; readonly floorRates: readonly number[] }> {
  const issuing = await world.controller(['--namespaces', 'rate,floor']);
  for (const namespace of ['rate', 'floor']) {
    await world.namespace(namespace);
    await world.create(namespace, names('c', count));
  }
  await untilIssued(issuing, 2 * count);
  await issuing.stop();
  // The floor's objects are nobody's: the controller serves the other namespace only.
  const controller = await world.controller(['--namespaces', 'rate']);
  const floor = await world.floor('floor', 16);
  const { ratio, ratioSpread, cpuMs, cpuSpread, perSecond, floorPerSecond, floorRates } = await compareWithFloor(
    controller,
    floor,
    count,
    repeats,
  );
  console.log(`  ${perSecond.toFixed(0)} rotations/s, the floor writer ${floorPerSecond.toFixed(0)}`);
  await floor.stop();
  await controller.stop();
  const results = { rateRatio: { value: ratio, spread: ratioSpread }, cpu: { value: cpuMs, spread: cpuSpread } };
  return { results, floorRates };
}

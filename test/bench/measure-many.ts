import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { SECRETS } from '../../src/api/names.ts';
import type { BenchWorld, MeasuredController } from './bench-world.ts';
import { listPlaces, shareOutOfOrder } from './expiry-order.ts';
import type { Results } from './figures.ts';
import { names, rotateAll, untilIssued } from './rate.ts';
import { median } from './statistics.ts';

const MB = 1_000_000;
/** Until the garbage of a start has been given back. */
const SETTLE_MS = 13_000;

/** How a figure grows with the number of certificates. */
export interface Growth {
  readonly certificates: number;
  readonly namespaces: number;
  readonly perSecond: number;
  readonly memoryMb: number;
  readonly syncedSeconds: number;
}

/** Start and memory with nothing to do. */
export async function measureIdle(world: BenchWorld, repeats: number): Promise<Results> {
  const firstLines: number[] = [];
  for (let repeat = 0; repeat < repeats; repeat++) {
    const controller = await world.controller();
    firstLines.push(controller.firstLineMs / 1000);
    await controller.stop();
  }
  return { firstLine: { value: median(firstLines) }, idleMemory: { value: median(await settledMemories(world)) } };
}

/**
 * Foreign Secrets must not matter: what isn't ours isn't watched. Without, with, with, without, since what there is to see
 * is less than what two starts differ by.
 */
export async function measureForeign(world: BenchWorld): Promise<Results> {
  await world.namespace('foreign');
  const data = { blob: randomBytes(700_000).toString('base64') };
  const foreign = names('f', 300);
  const without = await settledMemories(world);
  for (const name of foreign) await world.client.create(SECRETS, { metadata: { namespace: 'foreign', name }, data });
  const with300 = [...(await settledMemories(world)), ...(await settledMemories(world))];
  for (const name of foreign) await world.client.delete(SECRETS, 'foreign', name);
  without.push(...(await settledMemories(world)));
  return { foreignMemory: { value: Math.max(0, median(with300) - median(without)) } };
}

const STARTED_AT_ONCE = 4;

async function settledMemories(world: BenchWorld): Promise<number[]> {
  const controllers = await Promise.all(Array.from({ length: STARTED_AT_ONCE }, () => world.controller()));
  const memories = await Promise.all(controllers.map(settledMemory));
  await Promise.all(controllers.map((controller) => controller.stop()));
  return memories;
}

/** Creates certificates until there are `count`, spread evenly over namespaces, where there were `from` before. */
export async function populate(
  world: BenchWorld,
  prefix: string,
  namespaces: number,
  from: number,
  count: number,
): Promise<void> {
  const controller = await world.controller(['--workers', '32']);
  for (let index = 0; index < namespaces; index++) {
    const namespace = `${prefix}-${index}`;
    if (from === 0) await world.namespace(namespace);
    await world.create(namespace, names('m', count / namespaces).slice(from / namespaces));
  }
  await untilIssued(controller, count - from);
  await controller.stop();
}

interface Start {
  readonly controller: MeasuredController;
  readonly syncedSeconds: number;
  readonly memoryMb: number;
}

/**
 * `starts` starts with so many certificates in the cluster, at which nothing is written; the last one then finds all of
 * them due at once.
 */
export async function measureMany(
  world: BenchWorld,
  prefix: string,
  count: number,
  namespaces: number,
  idleMb: number,
  starts: number,
): Promise<{ growth: Growth; results: Results }> {
  const before = await listPlaces(world.client, `${prefix}-0`);
  const started: Start[] = [await start(world)];
  while (started.length < starts) {
    await started.at(-1)?.controller.stop();
    started.push(await start(world));
  }
  const { controller } = started.at(-1) as Start;
  const memoryMb = median(started.map((each) => each.memoryMb)) - idleMb;
  const syncedSeconds = median(started.map((each) => each.syncedSeconds));
  const { perSecond, loopDelayP99Ms } = await rotateAll(controller, count);
  await sleep(2_000);
  // One that lost its Lease has ended, and doesn't answer.
  await controller.state();
  const wrong = shareOutOfOrder(await listPlaces(world.client, `${prefix}-0`), before);
  await controller.stop();
  return {
    growth: { certificates: count, namespaces, perSecond, memoryMb, syncedSeconds },
    results: {
      certificateMemory: { value: memoryMb },
      synced: { value: syncedSeconds },
      stormDelay: { value: loopDelayP99Ms },
      stormOrder: { value: wrong * 100 },
      stormLease: { value: 0 },
    },
  };
}

async function start(world: BenchWorld): Promise<Start> {
  const controller = await world.controller(['--leader-elect', '--leader-elect-namespace', 'default']);
  const memoryMb = await settledMemory(controller);
  const { rotations } = await controller.state();
  if (rotations > 0) throw new Error(`a restart issued ${rotations} certificates`);
  return { controller, syncedSeconds: controller.syncedMs / 1000, memoryMb };
}

/** Due times as they stand in the statuses: the fullest minute against the mean of the window that the jitter spans. */
export async function measureSpread(world: BenchWorld, namespace: string): Promise<Results> {
  const due = (await listPlaces(world.client, namespace)).map(({ dueMs }) => dueMs);
  const minutes = new Map<number, number>();
  for (const moment of due)
    minutes.set(Math.floor(moment / 60_000), (minutes.get(Math.floor(moment / 60_000)) ?? 0) + 1);
  const window = Math.max(...minutes.keys()) - Math.min(...minutes.keys()) + 1;
  return { peak: { value: Math.max(...minutes.values()) / (due.length / window) } };
}

async function settledMemory(controller: MeasuredController): Promise<number> {
  await sleep(SETTLE_MS);
  return (await controller.state()).rssBytes / MB;
}

import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ClientCertificateStatus } from '../../src/api/generated/types.ts';
import { CLIENT_CERTIFICATES, SECRETS } from '../../src/api/names.ts';
import type { RawObject } from '../../src/api/parse.ts';
import type { BenchWorld, MeasuredController } from './bench-world.ts';
import type { Results } from './figures.ts';
import { names, rotateAll, untilIssued } from './rate.ts';
import { median } from './statistics.ts';

const MB = 1_000_000;
/** Until the garbage of a start is collected. */
const SETTLE_MS = 8_000;

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
  let idleMb = 0;
  for (let repeat = 0; repeat < repeats; repeat++) {
    const controller = await world.controller();
    firstLines.push(controller.firstLineMs / 1000);
    if (repeat === repeats - 1) idleMb = await settledMemory(controller);
    await controller.stop();
  }
  return { firstLine: { value: median(firstLines) }, idleMemory: { value: idleMb } };
}

/** Foreign Secrets must not matter: what isn't ours isn't watched. */
export async function measureForeign(world: BenchWorld, idleMb: number): Promise<Results> {
  await world.namespace('foreign');
  const data = { blob: randomBytes(700_000).toString('base64') };
  for (const name of names('f', 300))
    await world.client.create(SECRETS, { metadata: { namespace: 'foreign', name }, data });
  const controller = await world.controller();
  const withForeign = await settledMemory(controller);
  await controller.stop();
  return { foreignMemory: { value: Math.max(0, withForeign - idleMb) } };
}

/** Brings the number of certificates up to `count`, over so many namespaces. */
export async function populate(
  world: BenchWorld,
  prefix: string,
  namespaces: number,
  from: number,
  count: number,
): Promise<void> {
  const controller = await world.controller(['--workers', '32']);
  const each = count / namespaces;
  for (let index = 0; index < namespaces; index++) {
    const namespace = `${prefix}-${index}`;
    if (from === 0) await world.namespace(namespace);
    // Lives of different lengths, so that the order of expiry isn't the order of names.
    const all = names('m', each).slice(from / namespaces);
    await world.create(namespace, all, { duration: '24h' });
  }
  await untilIssued(controller, count - from);
  await controller.stop();
}

/** A start with so many certificates in the cluster: nothing is written; then all of them due at once. */
export async function measureMany(
  world: BenchWorld,
  count: number,
  namespaces: number,
  idleMb: number,
): Promise<{ growth: Growth; results: Results }> {
  const controller = await world.controller(['--leader-elect', '--leader-elect-namespace', 'default']);
  const memoryMb = (await settledMemory(controller)) - idleMb;
  const started = await controller.state();
  if (started.rotations > 0) throw new Error(`a restart issued ${started.rotations} certificates`);
  const { perSecond, loopDelayP99Ms } = await rotateAll(controller, count);
  await sleep(1_000);
  const outOfOrder = namespaces === 1 ? await outOfOrderShare(world) : 0;
  // A Lease that is lost ends the process, and then there is nobody to answer.
  await controller.state();
  await controller.stop();
  const syncedSeconds = controller.syncedMs / 1000;
  return {
    growth: { certificates: count, namespaces, perSecond, memoryMb, syncedSeconds },
    results: {
      certificateMemory: { value: memoryMb },
      synced: { value: syncedSeconds },
      stormDelay: { value: loopDelayP99Ms },
      stormOrder: { value: outOfOrder * 100 },
      stormLease: { value: 0 },
    },
  };
}

/** Due times as they stand in the statuses: the fullest minute against the mean of the window that the jitter spans. */
export async function measureSpread(world: BenchWorld, namespace: string): Promise<Results> {
  const due = (await listAll(world, namespace)).map(({ status }) =>
    Date.parse((status as ClientCertificateStatus).renewalTime ?? ''),
  );
  const minutes = new Map<number, number>();
  for (const moment of due)
    minutes.set(Math.floor(moment / 60_000), (minutes.get(Math.floor(moment / 60_000)) ?? 0) + 1);
  const window = Math.max(...minutes.keys()) - Math.min(...minutes.keys()) + 1;
  return { peak: { value: Math.max(...minutes.values()) / (due.length / window) } };
}

let expiryBefore = new Map<string, number>();

/** To be called before a storm, to compare with the order in which it came. */
export async function noteExpiry(world: BenchWorld, namespace: string): Promise<void> {
  const all = await listAll(world, namespace);
  expiryBefore = new Map(
    all.map(({ metadata, status }) => [
      metadata?.name ?? '',
      Date.parse((status as ClientCertificateStatus).notAfter ?? ''),
    ]),
  );
}

/** The share of certificates that were written before one that expired more than a second earlier by more than the workers at once. */
async function outOfOrderShare(world: BenchWorld): Promise<number> {
  const secrets = await listAll(world, 'many-0', 'statuses');
  const order = secrets
    .sort((one, other) => Number(one.metadata?.resourceVersion) - Number(other.metadata?.resourceVersion))
    .map(({ metadata }) => expiryBefore.get(metadata?.name ?? '') ?? 0);
  const sorted = [...order].sort((one, other) => one - other);
  // At work at once are a few; a place further away than that is out of order.
  const wrong = order.filter((expiry, index) => Math.abs(expiry - (sorted[index] ?? 0)) > 2_000);
  return wrong.length / order.length;
}

async function listAll(world: BenchWorld, namespace: string, _what = 'resources'): Promise<RawObject[]> {
  const items: RawObject[] = [];
  let next: string | undefined;
  do {
    const page = await world.client.list(CLIENT_CERTIFICATES, { namespace, limit: 500, continue: next });
    items.push(...page.items);
    next = page.metadata.continue;
  } while (next !== undefined && next !== '');
  return items;
}

async function settledMemory(controller: MeasuredController): Promise<number> {
  await sleep(SETTLE_MS);
  return (await controller.state()).rssBytes / MB;
}

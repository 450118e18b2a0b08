import { randomInt } from 'node:crypto';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { seededRandom } from '../../test/e2e/process/support/chance.ts';
import { holderOf, LOSSY, type Network, RELIABLE, type Replica, ShardWorld } from '../../test/unit/shard-world.ts';
import { memberLeaseName, rangeLeaseName } from '../api/shard-names.ts';

const COUNT = 16;
/** What the docs promise for a range without owner. */
const TAKEOVER_MS = 20_000;
/** Requests that are lost are waited for, and sent again. */
const LOSSY_TAKEOVER_MS = 35_000;
const SEED = Number(process.env.SEED ?? randomInt(2 ** 31));
const HISTORIES = Number(process.env.HISTORIES ?? 5);
console.log(`# SEED=${SEED}`);

/** Watches one world, and notes what must not be. */
class Judge {
  readonly faults: string[] = [];
  readonly #world: ShardWorld;
  readonly #takeoverMs: number;
  readonly #ownedAtMs: number[];
  /** Who acted on each range last, and when. */
  readonly #acts = new Map<number, { readonly by: Replica; readonly atMs: number }>();

  constructor(world: ShardWorld, takeoverMs: number) {
    this.#world = world;
    this.#takeoverMs = takeoverMs;
    this.#ownedAtMs = Array.from({ length: world.count }, () => 0);
  }

  check(): void {
    const { nowMs, replicas } = this.#world;
    for (let range = 0; range < this.#world.count; range++) {
      const owners = replicas.filter((each) => each.acts(range));
      if (owners.length > 1) this.faults.push(`${nowMs}: range ${range} has ${owners.map(({ name }) => name)}`);
      const since = this.#ownedAtMs[range] ?? 0;
      const wasAble = replicas.some((each) => each.isHealthy && each.healthySinceMs <= since);
      if (owners.length > 0) this.#ownedAtMs[range] = nowMs;
      else if (this.#heardOfHolderMs(range) > since) this.#ownedAtMs[range] = this.#heardOfHolderMs(range);
      else if (wasAble && nowMs - since > this.#takeoverMs) {
        this.faults.push(`${nowMs}: range ${range} had no owner for ${nowMs - since} ms`);
        this.#ownedAtMs[range] = nowMs;
      }
    }
  }

  /** One that wakes for a moment and renews its Lease has its ranges for as long again. */
  #heardOfHolderMs(range: number): number {
    const { heardOfMs, store } = this.#world;
    return heardOfMs.get(holderOf(store.get(rangeLeaseName(range)))) ?? 0;
  }

  /** Ranges that had no owner for so long that nobody is about to take them. */
  orphans(): number[] {
    return this.#ownedAtMs.flatMap((atMs, range) => (this.#world.nowMs - atMs > this.#takeoverMs ? [range] : []));
  }

  /** A run looks, and acts a moment later on what it saw then: no other replica may have acted between. */
  run(replica: Replica, range: number): void {
    if (!replica.isAwake || !replica.shards.isActive || !replica.shards.admits(range) || replica.runs.has(range))
      return;
    const world = this.#world;
    replica.runs.set(range, 1);
    const begunMs = world.nowMs;
    const act = () => {
      if (replica.acts(range)) {
        const last = this.#acts.get(range);
        if (last !== undefined && last.by !== replica && last.atMs >= begunMs)
          this.faults.push(
            `${world.nowMs}: ${replica.name} acted on range ${range} by what it saw before ${last.by.name} acted`,
          );
        this.#acts.set(range, { by: replica, atMs: world.nowMs });
      }
      replica.runs.delete(range);
    };
    world.at(world.random() * 3_000, () => replica.whenAwake(act));
  }
}

async function history(seed: number, network: Network, takeoverMs: number): Promise<string[]> {
  const random = seededRandom(seed);
  const world = new ShardWorld({ random, network, count: COUNT });
  const judge = new Judge(world, takeoverMs);
  const pick = () => world.replicas[Math.floor(random() * world.replicas.length)] as Replica;
  for (let each = 0; each < 3; each++) world.start();
  const work = () => {
    judge.run(pick(), Math.floor(random() * COUNT));
    world.at(30, work);
  };
  work();
  await world.run(10_000, () => judge.check());
  for (let step = 0; step < 25; step++) {
    const one = pick();
    const alive = world.replicas.filter(({ isKilled }) => !isKilled);
    const chance = random();
    if (chance < 0.2 && alive.length > 1) one.kill();
    else if (chance < 0.35 && alive.length < 5) world.start();
    else if (chance < 0.5) one.freeze();
    else if (chance < 0.65) one.cutOff();
    else if (chance < 0.75) one.jump((random() - 0.5) * 2 * 86_400_000);
    else if (chance < 0.8 && alive.length > 1) void one.stop();
    await world.run(random() * 25_000, () => judge.check());
    for (const each of world.replicas) {
      if (each.isFrozen && random() < 0.6) each.wake();
      if (each.isCutOff && random() < 0.6) each.reconnect();
    }
  }
  for (const each of world.replicas) {
    if (each.isFrozen) each.wake();
    if (each.isCutOff) each.reconnect();
  }
  if (!world.replicas.some(({ isKilled }) => !isKilled)) world.start();
  await world.run(150_000, () => judge.check());
  judge.faults.push(...judge.orphans().map((range) => `range ${range} has no owner in the end`));
  const held = world.replicas.filter(({ isKilled }) => !isKilled).map(({ shards }) => shards.size);
  if (network === RELIABLE && Math.max(...held) > Math.ceil(COUNT / held.length))
    judge.faults.push(`unfair in the end: ${held}`);
  return judge.faults;
}

for (const [title, network, takeoverMs] of [
  ['a network that works', RELIABLE, TAKEOVER_MS],
  ['a network that loses and delays requests and answers', LOSSY, LOSSY_TAKEOVER_MS],
] as const)
  test(`no range ever has two owners, and none is without one for long, with ${title}`, async () => {
    for (let seed = SEED; seed < SEED + HISTORIES; seed++) {
      const faults = await history(seed, network, takeoverMs);
      assert.equal(faults.slice(0, 5), [], `SEED=${seed} HISTORIES=1 node src/shards/shards.test.ts`);
    }
  });

function quiet(count = COUNT): ShardWorld {
  return new ShardWorld({ random: seededRandom(SEED), network: RELIABLE, count });
}

const isRange = (name: string) => name.startsWith('certwheel-shard-');

test('Leases of ranges that the API server refuses to write are tried seldom, and said in one line', async () => {
  const world = quiet(64);
  world.refuses = isRange;
  world.start();
  await world.run(60_000, () => {});
  assert.ok(world.writes < 64 * 25, `${world.writes} writes`);
  assert.ok(world.warnings.length < 25, `${world.warnings.length} warnings`);
  world.refuses = () => false;
  await world.run(5_000, () => {});
  assert.is(world.replicas[0]?.shards.size, 64);
});

test('a place that the API server refuses to write is tried seldom', async () => {
  const world = quiet();
  world.refuses = () => true;
  world.start();
  await world.run(60_000, () => {});
  assert.ok(world.writes < 25, `${world.writes} writes`);
});

test('a range that can not be given back stays with its replica', async () => {
  const world = quiet();
  const first = world.start();
  await world.run(10_000, () => {});
  world.refuses = isRange;
  world.start();
  await world.run(30_000, () => {});
  const idle = Array.from({ length: COUNT }, (_, range) => range).filter((range) => !first.shards.admits(range));
  assert.equal(idle, []);
  assert.ok(world.warnings.length < 10, `${world.warnings.length} warnings`);
});

test('a Lease that has lost its label gets it back and keeps its holder', async () => {
  const world = quiet();
  for (let each = 0; each < 2; each++) world.start();
  await world.run(20_000, () => {});
  for (const name of [rangeLeaseName(0), rangeLeaseName(COUNT - 1), memberLeaseName(0), memberLeaseName(1)])
    world.unlabel(name);
  await world.run(20_000, () => {});
  assert.is(
    world.replicas.map(({ shards }) => shards.size).reduce((one, other) => one + other),
    COUNT,
  );
  world.replicas[1]?.kill();
  await world.run(TAKEOVER_MS, () => {});
  assert.is(world.replicas[0]?.shards.size, COUNT);
});

test('a free place whose Lease has lost its label is taken', async () => {
  const world = quiet();
  await world.start().stop();
  await world.run(5_000, () => {});
  world.unlabel(memberLeaseName(0));
  const next = world.start();
  await world.run(10_000, () => {});
  assert.is(next.shards.size, COUNT);
});

test('a replica that is cut off keeps its ranges for as long as it may act, though one of its Leases is deleted', async () => {
  for (const name of [memberLeaseName(0), rangeLeaseName(0)]) {
    const world = quiet();
    const judge = new Judge(world, TAKEOVER_MS);
    const first = world.start();
    world.start();
    await world.run(20_000, () => judge.check());
    first.cutOff();
    world.delete(name);
    await world.run(60_000, () => judge.check());
    assert.equal(judge.faults.slice(0, 3), [], name);
    assert.is(world.replicas[1]?.shards.size, COUNT);
  }
});

test('when the member Leases of all replicas are deleted, ranges do not change owners again and again', async () => {
  const world = quiet();
  for (let each = 0; each < 3; each++) world.start();
  await world.run(20_000, () => {});
  for (let slot = 0; slot < 3; slot++) world.delete(memberLeaseName(slot));
  const before = world.writes;
  await world.run(6_000, () => {});
  assert.ok(world.writes - before < 100, `${world.writes - before} writes`);
  await world.run(40_000, () => {});
  assert.is(
    world.replicas.map(({ shards }) => shards.size).reduce((one, other) => one + other),
    COUNT,
  );
});

test('a range with a run that lasts stays where it is, and others are given to a replica that comes', async () => {
  const world = quiet();
  const first = world.start();
  await world.run(10_000, () => {});
  first.runs.set(COUNT - 1, 1);
  const second = world.start();
  await world.run(60_000, () => {});
  assert.ok(first.shards.admits(COUNT - 1));
  assert.is(second.shards.size, COUNT / 2);
});

test('a replica joins again once its watches have recovered, and after a while without them', async () => {
  for (const recovers of [true, false]) {
    const world = quiet();
    const first = world.start();
    world.start();
    await world.run(20_000, () => {});
    first.isCurrent = false;
    first.cutOff();
    await world.run(30_000, () => {});
    first.reconnect();
    await world.run(20_000, () => {});
    assert.is(first.shards.size, 0);
    first.isCurrent = recovers;
    await world.run(recovers ? 10_000 : 100_000, () => {});
    assert.is(first.shards.size, COUNT / 2);
  }
});

test('a replica whose watch is silent loses no race twice', async () => {
  const world = quiet();
  for (let each = 0; each < 8; each++) world.start();
  await world.run(60_000, () => {});
  const renewals = async () => {
    const before = world.writes;
    await world.run(60_000, () => {});
    return world.writes - before;
  };
  const usual = await renewals();
  const [deaf] = world.replicas;
  if (deaf !== undefined) deaf.isDeaf = true;
  const more = (await renewals()) - usual;
  assert.ok(more < 60, `${more} writes more`);
});

test('a range that came after its Lease was deleted is fresh, where another replica had it', async () => {
  const world = quiet();
  const [one, other] = [world.start(), world.start()];
  await world.run(20_000, () => {});
  const before = Array.from({ length: COUNT }, (_, range) => range).filter((range) => one.shards.holds(range));
  assert.not.equal(before, []);
  one.kill();
  for (let range = 0; range < COUNT; range++) world.delete(rangeLeaseName(range));
  await world.run(TAKEOVER_MS, () => {});
  for (const range of before) assert.ok(other.shards.holds(range) && other.shards.isFresh(range), `range ${range}`);
});

test.run();

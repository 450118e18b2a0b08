import type { Resource } from '../../src/api/names.ts';
import type { RawObject } from '../../src/api/parse.ts';
import { SHARDS_LABEL } from '../../src/api/shard-names.ts';
import type { Clock } from '../../src/clock.ts';
import { ApiError } from '../../src/errors.ts';
import { compareVersions, type Writable } from '../../src/kube/object.ts';
import type { CallOptions, WriteOptions } from '../../src/kube/options.ts';
import { type LeaseView, viewLease } from '../../src/shards/lease-view.ts';
import { Shards } from '../../src/shards/shards.ts';
import { SHARD_TIMING } from '../../src/shards/timing.ts';
import { settle } from './fake-clock.ts';

/** How a network misbehaves; chances are in [0, 1]. */
export interface Network {
  readonly latencyMs: number;
  readonly lostRequests: number;
  readonly lostAnswers: number;
  /** Requests that arrive long after their sender has given them up. */
  readonly late: number;
}

export const RELIABLE: Network = { latencyMs: 40, lostRequests: 0, lostAnswers: 0, late: 0 };
export const LOSSY: Network = { latencyMs: 200, lostRequests: 0.05, lostAnswers: 0.05, late: 0.05 };

const QUIET = { debug() {}, info() {}, warn() {}, error() {} };
const LATE_MS = 40_000;
const EPOCH_MS = Date.UTC(2026, 0, 1);

interface Happening {
  readonly atMs: number;
  readonly order: number;
  readonly happen: () => void;
}

/** Time for all replicas at once: what happens next is done, and then all that follows from it without a timer. */
export class ShardWorld {
  readonly random: () => number;
  readonly network: Network;
  readonly count: number;
  readonly store = new Map<string, RawObject>();
  /** When each identity last wrote anything. */
  readonly heardOfMs = new Map<string, number>();
  readonly replicas: Replica[] = [];
  /** What replicas warned of. */
  readonly warnings: string[] = [];
  /** Names of Leases that the API server refuses to write. */
  refuses: (name: string) => boolean = () => false;
  /** Writes that reached the API server. */
  writes = 0;
  nowMs = 0;
  #version = 100;
  #order = 0;
  #happenings: Happening[] = [];

  constructor(options: { random: () => number; network: Network; count: number }) {
    this.random = options.random;
    this.network = options.network;
    this.count = options.count;
  }

  at(inMs: number, happen: () => void): void {
    this.#happenings.push({ atMs: this.nowMs + inMs, order: this.#order++, happen });
  }

  start(): Replica {
    const replica = new Replica(this, `r${this.replicas.length}`);
    this.replicas.push(replica);
    return replica;
  }

  /** Lets time pass; `check` is called after everything that happens. */
  async run(ms: number, check: () => void): Promise<void> {
    const endMs = this.nowMs + ms;
    for (;;) {
      this.#happenings.sort((one, other) => one.atMs - other.atMs || one.order - other.order);
      const next = this.#happenings[0];
      if (next === undefined || next.atMs > endMs) break;
      this.#happenings.shift();
      this.nowMs = next.atMs;
      next.happen();
      await settle();
      check();
    }
    this.nowMs = endMs;
  }

  /** As the API server does it: a version that isn't the present one is a conflict, and what is absent is created. */
  write(object: RawObject): RawObject {
    const { name = '', resourceVersion } = object.metadata ?? {};
    this.writes += 1;
    if (this.refuses(name)) throw new ApiError(403, 'Forbidden', 'not allowed');
    const present = this.store.get(name)?.metadata?.resourceVersion;
    if (present !== undefined && resourceVersion !== present) throw new ApiError(409, 'Conflict', 'another version');
    const stored = { ...object, metadata: { ...object.metadata, resourceVersion: String(++this.#version) } };
    this.store.set(name, stored);
    this.heardOfMs.set(holderOf(stored), this.nowMs);
    for (const replica of this.replicas) replica.hear(stored);
    return stored;
  }

  /** A person deletes a Lease. */
  delete(name: string): void {
    this.#hide(name);
    this.store.delete(name);
  }

  /** A person takes the label off a Lease: to a watch it is gone. */
  unlabel(name: string): void {
    const found = this.store.get(name);
    this.#hide(name);
    this.store.set(name, {
      ...found,
      metadata: { ...found?.metadata, labels: {}, resourceVersion: String(this.#version) },
    });
  }

  #hide(name: string): void {
    const resourceVersion = String(++this.#version);
    for (const replica of this.replicas) replica.hear({ metadata: { name, resourceVersion, labels: {} } });
  }
}

export function holderOf(lease: RawObject | undefined): string {
  return (lease?.spec as { holderIdentity?: string } | undefined)?.holderIdentity ?? '';
}

/** One process with its own clock and its own connection. */
export class Replica {
  readonly name: string;
  readonly shards: Shards;
  isKilled = false;
  isFrozen = false;
  isCutOff = false;
  /** Its watch brings nothing, and its requests are answered. */
  isDeaf = false;
  /** Whether its other watches have recovered. */
  isCurrent = true;
  /** Since when nothing has been wrong with it. */
  healthySinceMs: number;
  /** Runs under way, by range. */
  readonly runs = new Map<number, number>();
  readonly #world: ShardWorld;
  readonly #known = new Map<string, LeaseView>();
  readonly #stop = new AbortController();
  readonly #rate: number;
  #wallMs: number;
  #lives = 0;
  /** What waits until it is awake, and until it is connected. */
  #asleep: (() => void)[] = [];
  #unheard: (() => void)[] = [];

  constructor(world: ShardWorld, name: string) {
    this.#world = world;
    this.name = name;
    this.healthySinceMs = world.nowMs;
    // A crystal is exact to a thousandth at worst.
    this.#rate = 0.999 + 0.002 * world.random();
    this.#wallMs = EPOCH_MS + 3_600_000 * world.random();
    for (const stored of world.store.values()) this.#take(stored);
    this.shards = new Shards({
      client: {
        get: (_resource: Resource, _namespace: string | undefined, lease: string, options?: CallOptions) =>
          this.#call(() => world.store.get(lease), options) as never,
        apply: (_resource: Resource, object: Writable, options?: WriteOptions) =>
          this.#call(() => world.write(object as RawObject), options) as never,
      },
      clock: this.#clock(),
      log: { ...QUIET, warn: (message) => void world.warnings.push(message) },
      namespace: 'certwheel-system',
      count: world.count,
      newIdentity: () => `${name}-${++this.#lives}`,
      known: { get: (lease) => this.#known.get(lease), put: (object) => this.#take(object) },
      common: { held: () => true, confirm: async () => true },
      timing: SHARD_TIMING,
      isBusy: (range) => (range === undefined ? this.runs.size > 0 : this.runs.has(range)),
      isCurrent: () => this.isCurrent,
      onChange: () => {},
    });
    void this.shards.run(this.#stop.signal);
  }

  get isAwake(): boolean {
    return !this.isKilled && !this.isFrozen;
  }

  get isHealthy(): boolean {
    return this.isAwake && !this.isCutOff;
  }

  acts(range: number): boolean {
    return this.isAwake && this.shards.isActive && this.shards.holds(range);
  }

  kill(): void {
    this.isKilled = true;
    this.#asleep = [];
    this.#stop.abort();
  }

  async stop(): Promise<void> {
    this.shards.close();
    this.#stop.abort();
    await this.shards.leave();
    this.kill();
  }

  freeze(): void {
    this.isFrozen = true;
  }

  wake(): void {
    this.isFrozen = false;
    this.healthySinceMs = this.#world.nowMs;
    for (const happen of this.#asleep.splice(0)) happen();
  }

  cutOff(): void {
    this.isCutOff = true;
  }

  reconnect(): void {
    this.isCutOff = false;
    this.healthySinceMs = this.#world.nowMs;
    for (const hear of this.#unheard.splice(0)) this.whenAwake(hear);
  }

  /** Sets its wall clock. */
  jump(ms: number): void {
    this.#wallMs += ms;
  }

  /** A change of a Lease is on its way to it. */
  hear(stored: RawObject): void {
    this.#world.at(this.#latencyMs(), () => {
      const hear = () => this.#take(stored);
      if (this.isCutOff || this.isDeaf) this.#unheard.push(hear);
      else this.whenAwake(hear);
    });
  }

  whenAwake(happen: () => void): void {
    if (this.isKilled) return;
    if (this.isFrozen) this.#asleep.push(happen);
    else happen();
  }

  #take(object: RawObject): void {
    const view = viewLease(object, this.#monotonicMs());
    const before = this.#known.get(view.name);
    if (before !== undefined && compareVersions(before.resourceVersion, view.resourceVersion) >= 0) return;
    if (object.metadata?.labels?.[SHARDS_LABEL] === undefined) this.#known.delete(view.name);
    else this.#known.set(view.name, view);
    this.shards?.noteChange();
  }

  #monotonicMs(): number {
    return this.#world.nowMs * this.#rate;
  }

  #latencyMs(): number {
    return this.#world.network.latencyMs * (0.2 + this.#world.random());
  }

  #clock(): Clock {
    const world = this.#world;
    return {
      now: () => new Date(this.#wallMs + world.nowMs),
      monotonicMs: () => this.#monotonicMs(),
      random: world.random,
      sleep: (ms, signal) =>
        new Promise((resolve, reject) => {
          signal?.addEventListener('abort', () => reject(signal.reason));
          world.at(ms / this.#rate, () => this.whenAwake(resolve));
        }),
    };
  }

  /** A request that may be lost, or whose answer may, or that arrives when its sender has long given it up. */
  #call<T>(work: () => T, { timeoutMs = 30_000, signal }: CallOptions = {}): Promise<T> {
    const world = this.#world;
    const { lostRequests, lostAnswers, late } = world.network;
    return new Promise((resolve, reject) => {
      const fail = (error: unknown) => this.whenAwake(() => reject(error));
      signal?.addEventListener('abort', () => reject(signal.reason));
      world.at(timeoutMs, () => fail(new ApiError(0, 'Timeout', 'no answer')));
      if (this.isCutOff || world.random() < lostRequests) return;
      const isLate = world.random() < late;
      world.at(isLate ? LATE_MS * world.random() : this.#latencyMs(), () => {
        let answer: () => void;
        try {
          const result = work();
          answer = () => resolve(result);
        } catch (error) {
          answer = () => reject(error);
        }
        if (world.random() < lostAnswers) return;
        world.at(this.#latencyMs(), () => {
          if (!this.isCutOff) this.whenAwake(answer);
        });
      });
    });
  }
}

import { LEASE_NAME, LEASES } from '../api/names.ts';
import { MOST_MEMBERS, SHARDS_LABEL } from '../api/shard-names.ts';
import type { Clock } from '../clock.ts';
import { ApiError, RetryableError } from '../errors.ts';
import { Cache } from '../kube/cache/cache.ts';
import type { KubeClient } from '../kube/client.ts';
import { Lease } from '../kube/lease.ts';
import { Watch } from '../kube/watch.ts';
import type { WatchStats } from '../kube/watch-record.ts';
import type { Logger } from '../log.ts';
import type { Sharding } from '../ownership.ts';
import { type LeaseView, viewLease } from '../shards/lease-view.ts';
import { placeOf, rangeOf } from '../shards/ranges.ts';
import { Shards, type ShardsDeps } from '../shards/shards.ts';
import { SHARD_TIMING } from '../shards/timing.ts';
import { StartError } from '../start-error.ts';

/**
 * The Lease of the leader is held by all replicas of the shards together. While they have it no leader acts beside them, nor do
 * replicas with another number of ranges. Each renews it seldom, so it is good for long.
 */
const COMMON_TIMING = { durationMs: 60_000, renewDeadlineMs: 45_000, retryMs: 15_000 };
const COMMON_MESSAGES = {
  gained: 'the Lease is held by the shards',
  lost: 'the Lease is no longer held by the shards',
};

interface Parts {
  readonly client: KubeClient;
  readonly clock: Clock;
  readonly log: Logger;
  readonly namespace: string;
  readonly count: number;
  /** Begins each identity. */
  readonly instance: string;
}

/** What the shards ask of the rest of the process, and tell it. */
export interface ShardHooks {
  /** The keys whose runs are under way. */
  running(): Iterable<string>;
  onChange: ShardsDeps['onChange'];
  isCurrent: ShardsDeps['isCurrent'];
  /** This replica takes part for the first time. */
  onStarted(): void;
}

/** The shards of this process, with access to the API server. */
export class WiredShards {
  readonly sharding: Sharding;
  readonly #parts: Parts;
  readonly #shards: Shards;
  readonly #common: Lease;
  readonly #watch: Watch<LeaseView>;
  #hooks: ShardHooks | undefined;
  #hasStarted = false;

  constructor(parts: Parts) {
    const { client, clock, log, namespace, count, instance } = parts;
    this.#parts = parts;
    const timing = { timing: COMMON_TIMING, messages: COMMON_MESSAGES };
    const common = { client, clock, logger: log, namespace, name: LEASE_NAME, identity: `shards-${count}` };
    this.#common = new Lease({ ...common, ...timing });
    const cache = new Cache<LeaseView>({ reduce: (object) => viewLease(object, clock.monotonicMs()) });
    this.#watch = new Watch(
      { client, clock, logger: log },
      { resource: LEASES, namespace, labelSelector: SHARDS_LABEL, cache },
    );
    let lives = 0;
    this.#shards = new Shards({
      client,
      clock,
      log,
      namespace,
      count,
      newIdentity: () => `${instance}-${++lives}`,
      known: { get: (name) => cache.get(`${namespace}/${name}`), put: (object) => cache.put(object) },
      common: this.#common,
      timing: SHARD_TIMING,
      isBusy: (range) => this.#isBusy(range),
      isCurrent: () => this.#hooks?.isCurrent() !== false,
      onChange: (gained, lost) => this.#changed(gained, lost),
    });
    cache.onChange(() => this.#shards.noteChange());
    this.sharding = this.#shardingOf(count);
  }

  get isActive(): boolean {
    return this.#shards.isActive;
  }

  /** Takes part until the signal aborts. */
  async start(signal: AbortSignal, hooks: ShardHooks): Promise<void> {
    this.#hooks = hooks;
    void this.#watch.run(signal);
    await this.#watch.synced;
    void this.#holdCommon(signal);
    await this.#shards.run(signal);
  }

  /** See Shards. */
  close(): void {
    this.#shards.close();
  }

  /** Gives up all ranges, after the last act; and the common Lease where no other replica has a place. Never throws. */
  async leave(): Promise<void> {
    await this.#shards.leave();
    await this.#common.releaseUnless(async () => {
      const { client, namespace } = this.#parts;
      const selection = { namespace, labelSelector: `${SHARDS_LABEL}=member`, limit: MOST_MEMBERS };
      const { items } = await client.list(LEASES, selection);
      return items.some((each) => viewLease(each, 0).holder !== '');
    });
  }

  stats(): readonly [string, WatchStats] {
    return ['leases/shards', this.#watch.stats];
  }

  async #holdCommon(signal: AbortSignal): Promise<void> {
    const nothing = { onStarted: () => {}, onLost: () => {} };
    while (!signal.aborted) await this.#common.run(signal, nothing);
  }

  #changed(gained: readonly number[], lost: readonly number[]): void {
    const { count, log } = this.#parts;
    log.info('shards', { held: this.#shards.size, of: count, gained: [...gained], lost: [...lost] });
    if (!this.#hasStarted) this.#hooks?.onStarted();
    this.#hasStarted = true;
    this.#hooks?.onChange(gained, lost);
  }

  #isBusy(range: number | undefined): boolean {
    for (const key of this.#hooks?.running() ?? [])
      if (range === undefined || rangeOf(placeOf(key), this.#parts.count) === range) return true;
    return false;
  }

  #shardingOf(count: number): Sharding {
    const shards = this.#shards;
    const rangeOfKey = (key: string) => rangeOf(placeOf(key), count);
    const assertActive = () => {
      if (!shards.isActive) throw new RetryableError('Conflict', 'this replica may not act: its Lease is not renewed');
    };
    return {
      assertActive,
      assert: (key) => {
        assertActive();
        if (!shards.holds(rangeOfKey(key)))
          throw new RetryableError('Conflict', `another replica has the shard of ${key}`);
      },
      owns: (key) => shards.admits(rangeOfKey(key)),
      follows: (key) => key.startsWith('ClusterCertificateAuthority/') && shards.size > 0,
      isFresh: (key) => shards.isFresh(rangeOfKey(key)),
      // Without a range nothing is asked of anything, and what waits must not wait for ever.
      share: () => (shards.size === 0 ? 1 : shards.size / count),
      ranges: () => ({ held: shards.size, count }),
    };
  }
}

/** Whether the Leases can be seen; throws StartError, with the remedy, where not. */
export async function preflightShards(client: Pick<KubeClient, 'list'>, namespace: string): Promise<void> {
  try {
    await client.list(LEASES, { namespace, labelSelector: SHARDS_LABEL, limit: 1, timeoutMs: 10_000 });
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    throw new StartError(
      `--shards needs the Leases of namespace ${namespace}: ${error.message}; install the chart with the value shards, which grants list and watch on leases there`,
    );
  }
}

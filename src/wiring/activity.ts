import { LEASE_NAME } from '../api/names.ts';
import type { Clock } from '../clock.ts';
import type { Config } from '../config.ts';
import { RetryableError } from '../errors.ts';
import type { KubeClient } from '../kube/client.ts';
import { Lease } from '../kube/lease.ts';
import type { WatchStats } from '../kube/watch-record.ts';
import type { Logger } from '../log.ts';
import { type Sharding, undivided } from '../ownership.ts';
import { preflightShards, type ShardHooks, WiredShards } from './shards.ts';

/** Which replicas act, and on what: this one alone, one that is elected, or several that share the work. */
export interface Activity {
  readonly sharding: Sharding;
  /** Whether this replica may act at this very moment. */
  readonly isActive: boolean;
  /** Whether it acts from the start. */
  readonly isAlone: boolean;
  /** Finds out whether it can work at all; throws StartError. */
  preflight(): Promise<void>;
  /** `onLost` of the hooks is called where there is nothing left to do but to exit. */
  start(signal: AbortSignal, hooks: ActivityHooks): void;
  /** A graceful stop begins: the runs under way are the last ones. */
  close(): void;
  /** Gives back what others wait for, after the last act. Never throws. */
  release(): Promise<void>;
  stats(): readonly (readonly [string, WatchStats])[];
}

export interface ActivityHooks extends ShardHooks {
  onLost(): void;
}

interface Parts {
  readonly config: Config;
  readonly client: KubeClient;
  readonly clock: Clock;
  readonly log: Logger;
  readonly instance: string;
}

export function activityOf(parts: Parts): Activity {
  if (parts.config.shards > 0) return sharing(parts, parts.config.shards);
  return parts.config.leaderElect ? leading(parts) : alone();
}

function alone(): Activity {
  return {
    sharding: undivided(() => {}),
    isActive: true,
    isAlone: true,
    preflight: async () => {},
    start: (_signal, { onStarted }) => onStarted(),
    close: () => {},
    release: async () => {},
    stats: () => [],
  };
}

function leading({ config, client, clock, log, instance }: Parts): Activity {
  const lease = new Lease({
    client,
    clock,
    logger: log,
    namespace: config.leaderElectNamespace,
    name: LEASE_NAME,
    identity: instance,
  });
  return {
    sharding: undivided(() => {
      if (!lease.held()) throw new RetryableError('Conflict', 'another replica leads');
    }),
    get isActive() {
      return lease.held();
    },
    isAlone: false,
    preflight: async () => {},
    start: (signal, hooks) => void lease.run(signal, hooks),
    close: () => {},
    release: () => lease.release(),
    stats: () => [],
  };
}

function sharing({ config, ...parts }: Parts, count: number): Activity {
  const namespace = config.leaderElectNamespace;
  const shards = new WiredShards({ ...parts, namespace, count });
  return {
    sharding: shards.sharding,
    get isActive() {
      return shards.isActive;
    },
    isAlone: false,
    preflight: () => preflightShards(parts.client, namespace),
    start: (signal, hooks) => void shards.start(signal, hooks),
    close: () => shards.close(),
    release: () => shards.leave(),
    stats: () => [shards.stats()],
  };
}

import { LEASES } from '../api/names.ts';
import type { RawObject } from '../api/parse.ts';
import { SHARDS_LABEL } from '../api/shard-names.ts';
import type { Clock } from '../clock.ts';
import { ApiError } from '../errors.ts';
import type { KubeClient } from '../kube/client.ts';
import { nextTransitions } from '../kube/lease.ts';
import { microTime } from '../kube/micro-time.ts';
import { CREATE_ONLY } from '../kube/object.ts';
import { type LeaseView, labelOf, viewLease } from './lease-view.ts';
import type { ShardTiming } from './timing.ts';

/** The Leases as a watch brings them. */
export interface KnownLeases {
  get(name: string): LeaseView | undefined;
  /** Takes in the answer to our own write. */
  put(object: RawObject): void;
}

interface LeasesDeps {
  readonly client: Pick<KubeClient, 'get' | 'apply'>;
  readonly clock: Clock;
  readonly namespace: string;
  readonly known: KnownLeases;
  readonly timing: Pick<ShardTiming, 'durationMs' | 'retryMs'>;
}

/** Of the retry period: short enough that a request that hangs leaves time for another one before the deadline. */
const TIMEOUT_SHARE = 0.6;

/** Reads and writes the Leases of the shards. Each write carries the version it replaces, so that a lost race is a 409. */
export class Leases {
  readonly #deps: LeasesDeps;

  constructor(deps: LeasesDeps) {
    this.#deps = deps;
  }

  /** Writes the holder of a Lease where it still is as in `before`; undefined creates it. Answers it as it is now. */
  async write(name: string, holder: string, before: LeaseView | undefined, signal?: AbortSignal): Promise<LeaseView> {
    const { client, clock, known, namespace, timing } = this.#deps;
    const now = microTime(clock.now());
    const isSame = before?.holder === holder;
    const transitions = before?.transitions ?? 0;
    const spec = {
      holderIdentity: holder,
      leaseDurationSeconds: Math.ceil(timing.durationMs / 1_000),
      acquireTime: isSame ? (before.acquiredAt ?? now) : now,
      renewTime: now,
      leaseTransitions: before === undefined || isSame ? transitions : nextTransitions(transitions),
    };
    const resourceVersion = before?.resourceVersion ?? CREATE_ONLY;
    const metadata = { namespace, name, resourceVersion, labels: labelOf(name) };
    try {
      const stored = await client.apply(LEASES, { metadata, spec }, { signal, timeoutMs: this.#timeoutMs });
      known.put(stored);
      return viewLease(stored, clock.monotonicMs());
    } catch (error) {
      if (before === undefined && isLostRace(error)) await this.#show(name, signal);
      throw error;
    }
  }

  /** One that has lost its label is in no watch, so that none could take it: gets its label back, and keeps its holder. */
  async #show(name: string, signal?: AbortSignal): Promise<void> {
    const { client, clock, namespace } = this.#deps;
    const found = await client.get(LEASES, namespace, name, { signal, timeoutMs: this.#timeoutMs });
    if (found === undefined || found.metadata?.labels?.[SHARDS_LABEL] !== undefined) return;
    const view = viewLease(found, clock.monotonicMs());
    await this.write(name, view.holder, view, signal);
  }

  /** Reads a Lease past the watch. */
  async read(name: string, signal?: AbortSignal): Promise<LeaseView | undefined> {
    const { client, clock, known, namespace } = this.#deps;
    const stored = await client.get(LEASES, namespace, name, { signal, timeoutMs: this.#timeoutMs });
    if (stored !== undefined) known.put(stored);
    return stored && viewLease(stored, clock.monotonicMs());
  }

  get #timeoutMs(): number {
    return this.#deps.timing.retryMs * TIMEOUT_SHARE;
  }
}

/** Whether another writer was faster. */
export function isLostRace(error: unknown): boolean {
  return error instanceof ApiError && error.status === 409;
}

import { LEASES } from '../api/names.ts';
import type { RawObject } from '../api/parse.ts';
import type { Clock } from '../clock.ts';
import { ApiError } from '../errors.ts';
import type { Logger } from '../log.ts';
import { messageOf } from '../thrown.ts';
import type { KubeClient } from './client.ts';
import { leaseFailure } from './lease-failure.ts';
import { microTime } from './micro-time.ts';
import { CREATE_ONLY } from './object.ts';

export interface LeaseOptions {
  client: Pick<KubeClient, 'get' | 'apply'>;
  clock: Clock;
  logger: Logger;
  namespace: string;
  name: string;
  /** Must differ between replicas and between two lives of the same Pod. */
  identity: string;
  timing?: Partial<LeaseTiming> | undefined;
  /** What is logged where it is had and where it is lost; that of a leader by default. */
  messages?: LeaseMessages | undefined;
}

export interface LeaseMessages {
  readonly gained: string;
  readonly lost: string;
}

export interface LeaseTiming {
  /** Others leave the Lease alone for this long after its last renewal. */
  durationMs: number;
  /** A holder that couldn't renew for this long stops acting; the difference to durationMs is what clocks may drift. */
  renewDeadlineMs: number;
  /** Between two renewals, or two reads of another holder's Lease. */
  retryMs: number;
}

export interface LeaseCallbacks {
  onStarted(): void;
  onLost(): void;
}

interface LeaseSpec {
  holderIdentity?: string;
  leaseDurationSeconds?: number;
  acquireTime?: string;
  renewTime?: string;
  leaseTransitions?: number;
}

/** The Lease as it was last seen, and when, on our own clock: the clock of its holder is never believed. */
interface Seen {
  resourceVersion: string;
  spec: LeaseSpec;
  at: number;
}

const OF_LEADER: LeaseMessages = { gained: 'became the leader', lost: 'lost the leadership' };

const DEFAULTS: LeaseTiming = { durationMs: 15_000, renewDeadlineMs: 10_000, retryMs: 5_000 };

/** Of the retry period: short enough that a request that hangs leaves time for another one before the deadline. */
const TIMEOUT_SHARE = 0.6;

/** Leader election over a Lease, as client-go does it. A lost race is a 409, because each write carries the version it replaces. */
export class Lease {
  readonly #options: LeaseOptions;
  readonly #timing: LeaseTiming;
  #seen: Seen | undefined;
  /** When the last renewal that was confirmed began; undefined while we don't lead. */
  #renewedAt: number | undefined;
  /** The holder that was logged. */
  #waitsFor: string | undefined;

  constructor(options: LeaseOptions) {
    this.#options = options;
    this.#timing = { ...DEFAULTS, ...options.timing };
  }

  /**
   * Whether we may act at this very moment. A process that was frozen and wakes up learns it from the clock, before any
   * of its timers has fired.
   */
  held(): boolean {
    return this.#renewedAt !== undefined && this.#elapsed(this.#renewedAt) < this.#timing.renewDeadlineMs;
  }

  /** Waits for leadership, then keeps it; ends when it is lost or the signal aborts, which alone gives nothing back. */
  async run(signal: AbortSignal, callbacks: LeaseCallbacks): Promise<void> {
    const { logger, identity, name, messages = OF_LEADER } = this.#options;
    if (!(await this.#acquire(signal))) return;
    logger.info(messages.gained, { lease: name, identity });
    callbacks.onStarted();
    await this.#keep(signal);
    if (signal.aborted) return;
    this.#renewedAt = undefined;
    logger.error(messages.lost, { lease: name, identity });
    callbacks.onLost();
  }

  /** Takes or renews it at this moment; true when the API server has confirmed that it is ours. */
  confirm(signal: AbortSignal): Promise<boolean> {
    return this.#attempt(signal);
  }

  /**
   * The same as release, for processes that hold it together under one identity: not where `isShared` finds another one. It is asked
   * between a read of the Lease and the write, so that one that confirms it meanwhile makes the write fail.
   */
  async releaseUnless(isShared: () => Promise<boolean>): Promise<void> {
    if (!this.held()) return;
    try {
      await this.#look();
      if (await isShared()) return;
    } catch (error) {
      this.#report(error);
      return;
    }
    await this.release();
  }

  /** Gives the Lease back so that another need not wait; for after the last act of a graceful stop. Never throws. */
  async release(): Promise<void> {
    if (!this.held() || !this.#seen) return;
    const { clock, logger, name } = this.#options;
    this.#renewedAt = undefined;
    const now = microTime(clock.now());
    const { leaseTransitions = 0 } = this.#seen.spec;
    const spec = { holderIdentity: '', leaseDurationSeconds: 1, acquireTime: now, renewTime: now, leaseTransitions };
    try {
      await this.#write(spec, this.#seen.resourceVersion);
    } catch (error) {
      logger.warn('the Lease could not be given back; the next leader waits until it runs out', {
        lease: name,
        error: messageOf(error),
      });
    }
  }

  async #acquire(signal: AbortSignal): Promise<boolean> {
    while (!signal.aborted) {
      if (await this.#attempt(signal)) return true;
      await this.#pause(this.#timing.retryMs, signal);
    }
    return false;
  }

  /** Renews until the deadline passes without a success, or another holds it. After a failure it tries again twice as soon. */
  async #keep(signal: AbortSignal): Promise<void> {
    const { clock } = this.#options;
    let wait = this.#timing.retryMs;
    while (this.held() && !signal.aborted) {
      await this.#pause(wait, signal);
      if (signal.aborted || !this.held()) return;
      const started = clock.monotonicMs();
      const renewed = await this.#attempt(signal);
      wait = renewed ? this.#timing.retryMs : Math.max(0, this.#timing.retryMs / 2 - this.#elapsed(started));
    }
  }

  /** One try to take or renew the Lease; true when the API server has confirmed that it is ours. */
  async #attempt(signal: AbortSignal): Promise<boolean> {
    try {
      if (this.#renewedAt !== undefined && this.#seen && (await this.#renewAsSeen(this.#seen, signal))) return true;
      await this.#look(signal);
      if (this.#mayTake()) return await this.#take(signal);
      this.#noteHolder();
      return false;
    } catch (error) {
      if (!signal.aborted) this.#report(error);
      return false;
    }
  }

  /** The usual case is one request: the Lease has not changed since Certwheel wrote it. */
  async #renewAsSeen(seen: Seen, signal: AbortSignal): Promise<boolean> {
    try {
      return await this.#take(signal, seen);
    } catch (error) {
      // Another holder wrote it, or our own last write happened although its answer was lost: a read shows which.
      if (error instanceof ApiError && error.status === 409) return false;
      throw error;
    }
  }

  async #look(signal?: AbortSignal): Promise<void> {
    const { client, clock, namespace, name, identity } = this.#options;
    const lease = await client.get(LEASES, namespace, name, {
      signal,
      timeoutMs: this.#timing.retryMs * TIMEOUT_SHARE,
    });
    const resourceVersion = lease?.metadata?.resourceVersion ?? CREATE_ONLY;
    if (this.#seen?.resourceVersion === resourceVersion) return;
    this.#seen = { resourceVersion, spec: specOf(lease), at: clock.monotonicMs() };
    const { holderIdentity = '' } = this.#seen.spec;
    if (holderIdentity !== '' && holderIdentity !== identity) this.#renewedAt = undefined;
  }

  #mayTake(): boolean {
    const { holderIdentity = '', leaseDurationSeconds = 0 } = this.#seen?.spec ?? {};
    if (holderIdentity === '' || holderIdentity === this.#options.identity) return true;
    return this.#elapsed(this.#seen?.at ?? 0) >= leaseDurationSeconds * 1_000;
  }

  /** Says once for each holder why this process waits. */
  #noteHolder(): void {
    const { logger, name } = this.#options;
    const holder = this.#seen?.spec.holderIdentity;
    if (holder !== this.#waitsFor)
      logger.info('waits, since another one holds the Lease', { lease: name, holder: holder?.slice(0, 100) });
    this.#waitsFor = holder;
  }

  async #take(signal: AbortSignal, seen = this.#seen): Promise<boolean> {
    const { clock, identity } = this.#options;
    const started = clock.monotonicMs();
    const now = microTime(clock.now());
    const { holderIdentity, acquireTime = now, leaseTransitions = 0 } = seen?.spec ?? {};
    const ours = holderIdentity === identity;
    const fresh = seen === undefined || seen.resourceVersion === CREATE_ONLY;
    const spec: LeaseSpec = {
      holderIdentity: identity,
      leaseDurationSeconds: Math.ceil(this.#timing.durationMs / 1_000),
      acquireTime: ours ? acquireTime : now,
      renewTime: now,
      leaseTransitions: ours || fresh ? leaseTransitions : nextTransitions(leaseTransitions),
    };
    await this.#write(spec, seen?.resourceVersion ?? CREATE_ONLY, signal);
    this.#renewedAt = started;
    this.#waitsFor = undefined;
    return true;
  }

  async #write(spec: LeaseSpec, resourceVersion: string, signal?: AbortSignal): Promise<void> {
    const { client, clock, namespace, name } = this.#options;
    const lease = await client.apply(
      LEASES,
      { metadata: { namespace, name, resourceVersion }, spec },
      { signal, timeoutMs: this.#timing.retryMs * TIMEOUT_SHARE },
    );
    this.#seen = { resourceVersion: lease.metadata?.resourceVersion ?? '', spec, at: clock.monotonicMs() };
  }

  /** A fifth to both sides, so that two candidates don't keep meeting. */
  async #pause(ms: number, signal: AbortSignal): Promise<void> {
    const { clock } = this.#options;
    await clock.sleep(ms * (0.8 + 0.4 * clock.random()), signal).catch(() => {});
  }

  #elapsed(since: number): number {
    return this.#options.clock.monotonicMs() - since;
  }

  #report(error: unknown): void {
    const { logger, name, namespace } = this.#options;
    if (error instanceof ApiError && error.status === 409) {
      logger.debug('another candidate was faster', { lease: name });
      return;
    }
    logger.warn('the Lease could not be read or written', { lease: name, ...leaseFailure(error, namespace) });
  }
}

/** The API server takes no more than 32 bits, and a person may have written the most. */
export function nextTransitions(transitions: number): number {
  return Math.min(transitions + 1, 2 ** 31 - 1);
}

function specOf(lease: RawObject | undefined): LeaseSpec {
  return (lease?.spec ?? {}) as LeaseSpec;
}

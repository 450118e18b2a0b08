import type { Clock } from '../clock.ts';
import type { ApiError } from '../errors.ts';
import type { Restart } from './watch-backoff.ts';

/** The history of a watch, for metrics and health. */
export interface WatchStats {
  /** The cache has been filled once. */
  readonly synced: boolean;
  /** On the monotonic clock: when anything last arrived, bookmarks included. */
  readonly lastEventAt: number;
  /** Lists completed, the first one included. */
  readonly lists: number;
  /** Why the last list failed; undefined once one has succeeded. */
  readonly problem?: ApiError | undefined;
  /** How many objects the shares of their namespaces had no room for. */
  readonly leftOut: number;
  /** Why a list or a stream ended, and how often. */
  readonly restarts: Readonly<Partial<Record<Restart, number>>>;
}

/** Bookmarks come about every 60 s, and a stream without any ends by itself a little sooner; see WatchTiming. */
const LONGEST_SILENCE_MS = 90_000;

/** Keeps the history of a watch, and decides from it whether the cache may be behind. */
export class WatchRecord implements WatchStats {
  synced = false;
  lastEventAt: number;
  lists = 0;
  problem: ApiError | undefined;
  readonly restarts: Partial<Record<Restart, number>> = {};
  readonly #clock: Pick<Clock, 'monotonicMs'>;
  readonly #cache: { readonly leftOut: number };
  #isFailing = false;
  #listedAt = 0;

  constructor(clock: Pick<Clock, 'monotonicMs'>, cache: { readonly leftOut: number }) {
    this.#clock = clock;
    this.#cache = cache;
    this.lastEventAt = clock.monotonicMs();
  }

  get leftOut(): number {
    return this.#cache.leftOut;
  }

  /** Whether the cache may lack what happened long ago: nothing proves that events still arrive. */
  get isBehind(): boolean {
    const silentMs = this.#clock.monotonicMs() - this.lastEventAt;
    return !this.synced || this.#isFailing || silentMs > LONGEST_SILENCE_MS;
  }

  get msSinceList(): number {
    return this.#clock.monotonicMs() - this.#listedAt;
  }

  /** Bytes have arrived. */
  arrived(): void {
    this.lastEventAt = this.#clock.monotonicMs();
  }

  listed(): void {
    this.arrived();
    this.#listedAt = this.lastEventAt;
    this.lists++;
    this.#isFailing = false;
    this.problem = undefined;
    this.synced = true;
  }

  /** That a stream opened is no event: one that sends nothing from then on must not seem alive each time it is opened. */
  opened(): void {
    this.#isFailing = false;
  }

  /** The server ended the stream in good order. */
  ended(): void {
    this.#count('ended');
  }

  failed(restart: Restart): void {
    this.#isFailing = true;
    this.#count(restart);
  }

  #count(restart: Restart): void {
    this.restarts[restart] = (this.restarts[restart] ?? 0) + 1;
  }
}

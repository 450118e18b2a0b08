import type { Resource } from '../api/names.ts';
import type { Clock } from '../clock.ts';
import { ApiError } from '../errors.ts';
import type { Logger } from '../log.ts';
import { stackOf } from '../stack.ts';
import { messageOf } from '../thrown.ts';

/** Why a list or a stream ended. */
export type Restart =
  | 'ended'
  | 'flapping'
  | 'expired'
  | 'idle'
  | 'dropped'
  | 'broken'
  | 'forbidden'
  | 'unauthorized'
  | 'notFound'
  | 'throttled'
  | 'serverError';

export interface WatchTiming {
  /** False: lists come by pages, even where the server could stream them. */
  streamsLists: boolean;
  pageSize: number;
  /** The server is asked to end each stream after a time between these, so that they don't all end together. */
  shortestStreamSeconds: number;
  longestStreamSeconds: number;
  /** Bookmarks come about every 60 s; a stream that is silent for longer than this is dead. */
  idleMs: number;
  /** A stream that ends sooner counts as a failure: reconnecting at once would be a hot loop. */
  shortestHealthyMs: number;
  /** A stream that lasted this long starts the backoff anew. */
  recoveredMs: number;
  firstBackoffMs: number;
  longestBackoffMs: number;
  /** After this long, the end of a stream is followed by a list. */
  relistMs: number;
}

const DEFAULTS: WatchTiming = {
  streamsLists: true,
  pageSize: 500,
  shortestStreamSeconds: 240,
  longestStreamSeconds: 300,
  idleMs: 80_000,
  shortestHealthyMs: 1_000,
  recoveredMs: 5_000,
  firstBackoffMs: 800,
  longestBackoffMs: 30_000,
  relistMs: 30 * 60_000,
};

/** Even the luckiest draw of the jitter mustn't become a hot loop. */
const SHORTEST_WAIT_MS = 50;
const LOG_AGAIN_AFTER_MS = 5 * 60_000;

export function withDefaults(timing: Partial<WatchTiming> = {}): WatchTiming {
  return { ...DEFAULTS, ...timing };
}

/** The reason that an error stands for, as metrics count it. */
export function restartOf(error: unknown): Restart {
  if (!(error instanceof ApiError)) return 'broken';
  switch (error.status) {
    case 0:
      return error.reason === 'Idle' ? 'idle' : error.reason === 'InvalidAnswer' ? 'broken' : 'dropped';
    case 401:
      return 'unauthorized';
    case 403:
      return 'forbidden';
    case 404:
      return 'notFound';
    case 410:
      return 'expired';
    case 429:
      return 'throttled';
    default:
      return 'serverError';
  }
}

/** How long one watch waits after a failure, and what it says about it. */
export class WatchBackoff {
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #timing: WatchTiming;
  readonly #what: { resource: Resource; namespace: string | undefined };
  #failures = 0;
  #logged: Restart | undefined;
  #loggedAt = 0;
  #reportedDown = false;

  constructor(
    deps: { clock: Clock; logger: Logger },
    timing: WatchTiming,
    what: { resource: Resource; namespace: string | undefined },
  ) {
    this.#clock = deps.clock;
    this.#logger = deps.logger;
    this.#timing = timing;
    this.#what = what;
  }

  /** Full jitter: anything between nothing and an exponentially growing cap. */
  next(retryAfterMs = 0): number {
    const { firstBackoffMs, longestBackoffMs } = this.#timing;
    const cap = Math.min(longestBackoffMs, firstBackoffMs * 2 ** Math.min(this.#failures, 30));
    this.#failures++;
    // Jitter comes on top of what the server asked for, or all its clients would be back at the same moment.
    return retryAfterMs + Math.max(SHORTEST_WAIT_MS, cap * this.#clock.random());
  }

  failed(restart: Restart, error: unknown): number {
    const ms = this.next(error instanceof ApiError ? error.retryAfterMs : undefined);
    this.#log(restart, error, ms);
    return ms;
  }

  /** A list was read, or a stream opened. */
  succeeded(): void {
    if (this.#reportedDown) this.#logger.info('the watch is up to date again', this.#fields());
    this.#reportedDown = false;
  }

  streamLasted(ms: number): void {
    if (ms >= this.#timing.recoveredMs) this.#failures = 0;
  }

  /** Each new reason once, and again every few minutes while it lasts. */
  #log(restart: Restart, error: unknown, waitMs: number): void {
    const now = this.#clock.monotonicMs();
    const message = messageOf(error);
    const fields = { ...this.#fields(), reason: restart, error: message, retryInMs: Math.round(waitMs) };
    if (restart === this.#logged && now - this.#loggedAt < LOG_AGAIN_AFTER_MS) {
      this.#logger.debug('the watch failed again', fields);
      return;
    }
    this.#logged = restart;
    this.#loggedAt = now;
    this.#reportedDown = true;
    const { plural } = this.#what.resource;
    if (restart === 'forbidden') {
      this.#logger.error(`may not list and watch ${plural}; ${this.#remedy()}`, fields);
    } else if (restart === 'notFound') {
      this.#logger.error(`the API server doesn't serve ${plural}; install the CRDs`, fields);
    } else if (error instanceof Error && !(error instanceof ApiError)) {
      this.#logger.error('the watch failed by a bug', { ...fields, stack: stackOf(error) });
    } else {
      this.#logger.warn('the watch was interrupted', fields);
    }
  }

  #remedy(): string {
    const { resource, namespace } = this.#what;
    const kind = namespace === undefined ? 'ClusterRole' : `Role in the namespace ${namespace}`;
    return `grant get, list and watch on ${resource.plural}${resource.group === '' ? '' : `.${resource.group}`} by a ${kind}`;
  }

  #fields(): { resource: string; namespace?: string } {
    const { resource, namespace } = this.#what;
    return namespace === undefined ? { resource: resource.plural } : { resource: resource.plural, namespace };
  }
}

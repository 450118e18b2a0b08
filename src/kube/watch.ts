import type { Resource } from '../api/names.ts';
import type { Clock } from '../clock.ts';
import { ApiError } from '../errors.ts';
import type { Logger } from '../log.ts';
import { stackOf } from '../stack.ts';
import { statusError } from './answer.ts';
import type { Cache } from './cache/cache.ts';
import type { Draft } from './cache/draft.ts';
import { ALL_NAMESPACES } from './cache/entry.ts';
import type { KubeClient } from './client.ts';
import { isStreamUnsupported, listByPages, listByStream } from './listing.ts';
import type { WatchEvent } from './object.ts';
import type { Selection } from './options.ts';
import { type Restart, restartOf, WatchBackoff, type WatchTiming, withDefaults } from './watch-backoff.ts';

export interface WatchDeps {
  client: KubeClient;
  clock: Clock;
  logger: Logger;
}

export interface WatchSpec<T> extends Selection {
  resource: Resource;
  cache: Pick<Cache<T>, 'begin' | 'replace' | 'upsert' | 'remove' | 'advance' | 'onBroken' | 'onCrowded' | 'leftOut'>;
  timing?: Partial<WatchTiming> | undefined;
}

/** For metrics and health. */
export interface WatchStats {
  /** The cache has been filled once. */
  synced: boolean;
  /** On the monotonic clock: when anything last arrived, bookmarks included. */
  lastEventAt: number;
  /** Lists completed, the first one included. */
  lists: number;
  /** Why the last list failed; undefined once one has succeeded. */
  problem?: ApiError | undefined;
  /** How many objects the shares of their namespaces had no room for. */
  readonly leftOut: number;
  /** Why a list or a stream ended, and how often. */
  restarts: Partial<Record<Restart, number>>;
}

type State =
  /** Nothing is known, or no longer. On failure: waits, then lists again from the first page. */
  | { at: 'listing' }
  /** The cache is true up to this version. On failure: waits, then goes on from here; a 410 falls back to listing. */
  | { at: 'watching'; resourceVersion: string }
  /** Something failed; `next` is tried after `ms`. Falls back to nothing. */
  | { at: 'waiting'; ms: number; next: State };

/** Bookmarks come about every 60 s, and a stream without any ends by itself a little sooner; see WatchTiming. */
const LONGEST_SILENCE_MS = 90_000;

const LISTING: State = { at: 'listing' };

/**
 * Keeps a cache equal to what the API server holds of one resource in one scope: a list, then a watch that goes on from
 * it. Whatever breaks, the cache keeps what it has until something newer is known.
 */
export class Watch<T> {
  readonly stats: WatchStats;
  /** Resolves when the cache has been filled once. */
  readonly synced: Promise<void>;
  #isFailing = false;
  readonly #deps: WatchDeps;
  readonly #spec: WatchSpec<T>;
  readonly #scope: string;
  readonly #timing: WatchTiming;
  readonly #backoff: WatchBackoff;
  readonly #reportSynced: () => void;
  #resourceVersion = '';
  /** Whether the next list comes by a stream. */
  #streams: 'next' | 'later' | 'never';
  #listedAt = 0;

  constructor(deps: WatchDeps, spec: WatchSpec<T>) {
    this.#deps = deps;
    this.#spec = spec;
    this.#scope = spec.namespace ?? ALL_NAMESPACES;
    this.#timing = withDefaults(spec.timing);
    this.#streams = this.#timing.streamsLists ? 'next' : 'never';
    this.#backoff = new WatchBackoff(deps, this.#timing, { resource: spec.resource, namespace: spec.namespace });
    const { cache } = spec;
    this.stats = {
      synced: false,
      lastEventAt: deps.clock.monotonicMs(),
      lists: 0,
      restarts: {},
      get leftOut() {
        return cache.leftOut;
      },
    };
    cache.onBroken((key, error) => {
      deps.logger.error('an object could not be read, which is a bug; its last known state stays', {
        resource: spec.resource.plural,
        key,
        stack: stackOf(error),
      });
    });
    cache.onCrowded((namespace) => {
      deps.logger.warn('the share of a namespace is used up; what goes beyond it is left out', {
        resource: spec.resource.plural,
        namespace,
      });
    });
    const { promise, resolve } = Promise.withResolvers<void>();
    this.synced = promise;
    this.#reportSynced = resolve;
  }

  /** Whether the cache may lack what happened long ago: nothing proves that events still arrive. */
  get isBehind(): boolean {
    const { stats } = this;
    const silentMs = this.#deps.clock.monotonicMs() - stats.lastEventAt;
    return !stats.synced || this.#isFailing || silentMs > LONGEST_SILENCE_MS;
  }

  /** Runs until the signal aborts; never throws. */
  async run(signal: AbortSignal): Promise<void> {
    let state: State = LISTING;
    while (!signal.aborted) state = await this.#step(state, signal);
  }

  #step(state: State, signal: AbortSignal): Promise<State> {
    switch (state.at) {
      case 'listing':
        return this.#list(signal);
      case 'watching':
        return this.#watch(state.resourceVersion, signal);
      case 'waiting':
        return this.#wait(state, signal);
    }
  }

  async #list(signal: AbortSignal): Promise<State> {
    const { cache } = this.#spec;
    const draft = cache.begin();
    try {
      const resourceVersion = await this.#listing(draft, signal);
      cache.replace(this.#scope, draft, resourceVersion);
      this.#listed();
      return { at: 'watching', resourceVersion };
    } catch (error) {
      this.stats.problem = error instanceof ApiError ? error : undefined;
      return this.#failed(error, LISTING, signal);
    }
  }

  /** By a stream where the server can, and by pages where it can't or where a stream has just failed. */
  async #listing(draft: Draft<T>, signal: AbortSignal): Promise<string> {
    const { resource, namespace, labelSelector, fieldSelector } = this.#spec;
    const options = {
      client: this.#deps.client,
      resource,
      selection: { namespace, labelSelector, fieldSelector },
      draft,
      signal,
      onBytes: () => this.#touch(),
    };
    if (this.#streams === 'next') {
      try {
        return await listByStream({ ...options, idleMs: this.#timing.idleMs });
      } catch (error) {
        this.#streams = isStreamUnsupported(error) ? 'never' : 'later';
        if (this.#streams === 'later') throw error;
      }
    }
    const resourceVersion = await listByPages({ ...options, pageSize: this.#timing.pageSize });
    if (this.#streams === 'later') this.#streams = 'next';
    return resourceVersion;
  }

  async #watch(resourceVersion: string, signal: AbortSignal): Promise<State> {
    const { client, clock } = this.#deps;
    const { resource, namespace, labelSelector, fieldSelector } = this.#spec;
    const { idleMs, shortestStreamSeconds, longestStreamSeconds } = this.#timing;
    const timeoutSeconds = Math.round(
      shortestStreamSeconds + clock.random() * (longestStreamSeconds - shortestStreamSeconds),
    );
    this.#resourceVersion = resourceVersion;
    const started = clock.monotonicMs();
    try {
      const stream = await client.watch(resource, {
        namespace,
        labelSelector,
        fieldSelector,
        resourceVersion,
        timeoutSeconds,
        idleMs,
        signal,
        onBytes: () => this.#touch(),
      });
      // That it opened is no event: one that says nothing from then on must not seem alive each time that it is opened.
      this.#isFailing = false;
      this.#backoff.succeeded();
      for await (const event of stream) this.#take(event);
    } catch (error) {
      this.#backoff.streamLasted(clock.monotonicMs() - started);
      return this.#failed(error, { at: 'watching', resourceVersion: this.#resourceVersion }, signal);
    }
    const lasted = clock.monotonicMs() - started;
    this.#backoff.streamLasted(lasted);
    return this.#ended(lasted);
  }

  /** The server ended the stream, as it does every few minutes. */
  #ended(lastedMs: number): State {
    const next: State = { at: 'watching', resourceVersion: this.#resourceVersion };
    if (lastedMs < this.#timing.shortestHealthyMs) {
      this.#isFailing = true;
      this.#count('flapping');
      return { at: 'waiting', ms: this.#backoff.next(), next };
    }
    this.#count('ended');
    // A watch that lost an event says nothing about it; looking anew from time to time bounds how long that matters.
    const stale = this.#deps.clock.monotonicMs() - this.#listedAt >= this.#timing.relistMs;
    return stale ? LISTING : next;
  }

  #failed(error: unknown, next: State, signal: AbortSignal): State {
    if (signal.aborted) return next;
    this.#isFailing = true;
    const restart = restartOf(error);
    this.#count(restart);
    const ms = this.#backoff.failed(restart, error);
    // The CRD may be gone, and what follows once it is back has nothing to do with the versions we know.
    const relist = restart === 'expired' || restart === 'notFound';
    return { at: 'waiting', ms, next: relist ? LISTING : next };
  }

  async #wait(state: State & { at: 'waiting' }, signal: AbortSignal): Promise<State> {
    // An abort ends the loop, so its rejection is of no interest.
    await this.#deps.clock.sleep(state.ms, signal).catch(() => {});
    return state.next;
  }

  #take(event: WatchEvent): void {
    const { cache } = this.#spec;
    if (event.type === 'ERROR') throw statusError(event.object, event.object.code ?? 500);
    const version = event.object.metadata?.resourceVersion;
    if (version === undefined || version === '')
      throw new ApiError(0, 'InvalidAnswer', 'the watch sent an object without a resourceVersion');
    switch (event.type) {
      case 'ADDED':
      case 'MODIFIED':
        cache.upsert(this.#scope, event.object, event.type === 'MODIFIED');
        break;
      case 'DELETED':
        cache.remove(this.#scope, event.object);
        break;
      case 'BOOKMARK':
        cache.advance(this.#scope, version);
        break;
    }
    this.#resourceVersion = version;
  }

  #listed(): void {
    this.#listedAt = this.#deps.clock.monotonicMs();
    this.stats.lists++;
    this.#isFailing = false;
    this.#touch();
    this.stats.problem = undefined;
    this.#backoff.succeeded();
    if (this.stats.synced) return;
    this.stats.synced = true;
    this.#reportSynced();
  }

  #touch(): void {
    this.stats.lastEventAt = this.#deps.clock.monotonicMs();
  }

  #count(restart: Restart): void {
    this.stats.restarts[restart] = (this.stats.restarts[restart] ?? 0) + 1;
  }
}

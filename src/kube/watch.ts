import type { Resource } from '../api/names.ts';
import type { Clock } from '../clock.ts';
import { ApiError } from '../errors.ts';
import type { Logger } from '../log.ts';
import { stackOf } from '../stack.ts';
import { statusError } from './answer.ts';
import type { Cache } from './cache/cache.ts';
import { ALL_NAMESPACES } from './cache/entry.ts';
import type { KubeClient } from './client.ts';
import { Lister } from './listing.ts';
import type { WatchEvent } from './object.ts';
import type { Selection } from './options.ts';
import { restartOf, WatchBackoff, type WatchTiming, withDefaults } from './watch-backoff.ts';
import { WatchRecord, type WatchStats } from './watch-record.ts';

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

type State =
  /** Nothing is known, or no longer. On failure: waits, then lists again from the first page. */
  | { at: 'listing' }
  /** The cache is true up to this version. On failure: waits, then goes on from here; a 410 falls back to listing. */
  | { at: 'watching'; resourceVersion: string }
  /** Something failed; `next` is tried after `ms`. Falls back to nothing. */
  | { at: 'waiting'; ms: number; next: State };

const LISTING: State = { at: 'listing' };

/**
 * Keeps a cache equal to what the API server holds of one resource in one scope: a list, then a watch that goes on from
 * it. Whatever breaks, the cache keeps what it has until something newer is known.
 */
export class Watch<T> {
  /** Resolves when the cache has been filled once. */
  readonly synced: Promise<void>;
  readonly #deps: WatchDeps;
  readonly #spec: WatchSpec<T>;
  readonly #scope: string;
  readonly #selection: Selection;
  readonly #timing: WatchTiming;
  readonly #backoff: WatchBackoff;
  readonly #record: WatchRecord;
  readonly #lister: Lister<T>;
  readonly #reportSynced: () => void;
  #resourceVersion = '';

  constructor(deps: WatchDeps, spec: WatchSpec<T>) {
    this.#deps = deps;
    this.#spec = spec;
    const { cache, resource, namespace, labelSelector, fieldSelector } = spec;
    this.#scope = namespace ?? ALL_NAMESPACES;
    this.#selection = { namespace, labelSelector, fieldSelector };
    this.#timing = withDefaults(spec.timing);
    this.#backoff = new WatchBackoff(deps, this.#timing, { resource, namespace });
    this.#record = new WatchRecord(deps.clock, cache);
    const onBytes = () => this.#record.arrived();
    this.#lister = new Lister({ client: deps.client, resource, selection: this.#selection, onBytes }, this.#timing);
    cache.onBroken((key, error) => {
      deps.logger.error('an object could not be read, which is a bug; its last known state stays', {
        resource: resource.plural,
        key,
        stack: stackOf(error),
      });
    });
    cache.onCrowded((namespace) => {
      deps.logger.warn('the share of a namespace is used up; what goes beyond it is left out', {
        resource: resource.plural,
        namespace,
      });
    });
    const { promise, resolve } = Promise.withResolvers<void>();
    this.synced = promise;
    this.#reportSynced = resolve;
  }

  get stats(): WatchStats {
    return this.#record;
  }

  /** Whether the cache may lack what happened long ago: nothing proves that events still arrive. */
  get isBehind(): boolean {
    return this.#record.isBehind;
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
      const resourceVersion = await this.#lister.list(draft, signal);
      cache.replace(this.#scope, draft, resourceVersion);
      this.#record.listed();
      this.#backoff.succeeded();
      this.#reportSynced();
      return { at: 'watching', resourceVersion };
    } catch (error) {
      this.#record.problem = error instanceof ApiError ? error : undefined;
      return this.#failed(error, LISTING, signal);
    }
  }

  async #watch(resourceVersion: string, signal: AbortSignal): Promise<State> {
    const { client, clock } = this.#deps;
    const { idleMs, shortestStreamSeconds, longestStreamSeconds } = this.#timing;
    const timeoutSeconds = Math.round(
      shortestStreamSeconds + clock.random() * (longestStreamSeconds - shortestStreamSeconds),
    );
    this.#resourceVersion = resourceVersion;
    const started = clock.monotonicMs();
    try {
      const stream = await client.watch(this.#spec.resource, {
        ...this.#selection,
        resourceVersion,
        timeoutSeconds,
        idleMs,
        signal,
        onBytes: () => this.#record.arrived(),
      });
      this.#record.opened();
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
      this.#record.failed('flapping');
      return { at: 'waiting', ms: this.#backoff.next(), next };
    }
    this.#record.ended();
    // A watch that lost an event says nothing about it; looking anew from time to time bounds how long that matters.
    return this.#record.msSinceList >= this.#timing.relistMs ? LISTING : next;
  }

  #failed(error: unknown, next: State, signal: AbortSignal): State {
    if (signal.aborted) return next;
    const restart = restartOf(error);
    this.#record.failed(restart);
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
}

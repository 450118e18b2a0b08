import type { Resource } from '../api/names.ts';
import type { RawObject } from '../api/parse.ts';
import type { ApiError } from '../errors.ts';
import { Cache } from './cache.ts';
import { Watch, type WatchDeps, type WatchStats } from './watch.ts';
import type { WatchTiming } from './watch-backoff.ts';

/** One use of a watched object. */
export interface Reference {
  /** Whether `get` knows; until then it answers undefined for what may well exist. */
  readonly known: boolean;
  /** Why the API server doesn't let `get` know. */
  readonly problem: ApiError | undefined;
  /** Resolves once `get` knows; never, where the API server refuses. */
  readonly synced: Promise<void>;
  get(): RawObject | undefined;
  /** The watch ends with its last use. Doing it twice does no harm. */
  release(): void;
}

interface Watched {
  cache: Cache<RawObject>;
  watch: Watch<RawObject>;
  stop: AbortController;
  users: number;
}

/** Watches single objects by name for whoever refers to them, one watch per object however many refer to it. */
export class References {
  readonly #deps: WatchDeps;
  readonly #timing: Partial<WatchTiming> | undefined;
  readonly #watched = new Map<string, Watched>();

  constructor(deps: WatchDeps, timing?: Partial<WatchTiming>) {
    this.#deps = deps;
    this.#timing = timing;
  }

  /** The objects watched right now. */
  get size(): number {
    return this.#watched.size;
  }

  /** For metrics and health, one for each object. */
  *stats(): Generator<WatchStats> {
    for (const { watch } of this.#watched.values()) yield watch.stats;
  }

  /** The listener hears of each change, and must only note it. */
  acquire(resource: Resource, namespace: string | undefined, name: string, listener: () => void): Reference {
    const id = `${resource.group}/${resource.plural}/${namespace ?? ''}/${name}`;
    const watched = this.#watched.get(id) ?? this.#start(id, resource, namespace, name);
    watched.users++;
    const stopListening = watched.cache.onChange(listener);
    let released = false;
    return {
      get known() {
        return watched.watch.stats.synced;
      },
      get problem() {
        return watched.watch.stats.problem;
      },
      synced: watched.watch.synced,
      get: () => watched.cache.values().next().value,
      release: () => {
        if (released) return;
        released = true;
        stopListening();
        watched.users--;
        if (watched.users > 0) return;
        this.#watched.delete(id);
        watched.stop.abort();
      },
    };
  }

  /** Ends all watches, whoever uses them. */
  close(): void {
    for (const { stop } of this.#watched.values()) stop.abort();
    this.#watched.clear();
  }

  #start(id: string, resource: Resource, namespace: string | undefined, name: string): Watched {
    const cache = new Cache<RawObject>({ reduce: withoutManagedFields });
    // A list of one is a page: a stream would take a connection of its own.
    const timing = { streamsLists: false, ...this.#timing };
    const spec = { resource, namespace, fieldSelector: `metadata.name=${name}`, cache, timing };
    const watch = new Watch<RawObject>(this.#deps, spec);
    const watched: Watched = { cache, watch, stop: new AbortController(), users: 0 };
    this.#watched.set(id, watched);
    void watch.run(watched.stop.signal);
    return watched;
  }
}

/** Nobody reads them, and they are often the larger half of an object. */
function withoutManagedFields(object: RawObject): RawObject {
  const { managedFields: _, ...metadata } = object.metadata ?? {};
  return { ...object, metadata };
}

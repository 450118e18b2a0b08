import type { Resource } from '../api/names.ts';
import { identify, type RawObject } from '../api/parse.ts';
import type { ApiError } from '../errors.ts';
import { Cache } from './cache/cache.ts';
import type { ChangeListener } from './cache/listeners.ts';
import { weightOf } from './cache/namespace-share.ts';
import { Watch, type WatchDeps } from './watch.ts';
import type { WatchTiming } from './watch-backoff.ts';
import type { WatchStats } from './watch-record.ts';

/** One use of a watched object. */
export interface Reference {
  /** Whether `get` knows; until then it answers undefined for what may well exist. */
  readonly known: boolean;
  /** Why the API server doesn't let `get` know. */
  readonly problem: ApiError | undefined;
  /** Whether `get` answers without data, since the objects of the namespace that are referred to are too large together. */
  readonly isLeftOut: boolean;
  /** Resolves once `get` knows; never, where the API server refuses. */
  readonly synced: Promise<void>;
  get(): RawObject | undefined;
  /** The watch ends with its last use. Doing it twice does no harm. */
  release(): void;
}

/** Of one namespace together: the bundle of all public roots fifty times. */
export const MOST_BYTES = 16 * 1_048_576;

interface Watched {
  namespace: string | undefined;
  /** What its data takes. */
  bytes: number;
  cache: Cache<RawObject>;
  watch: Watch<RawObject>;
  stop: AbortController;
  users: number;
}

/** Watches single objects by name, one watch per object however many refer to it. */
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
  acquire(
    resource: Resource,
    namespace: string | undefined,
    name: string,
    listener: ChangeListener<RawObject>,
  ): Reference {
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
      get isLeftOut() {
        return watched.cache.leftOut > 0;
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

  /** Ends all watches, those in use too. */
  close(): void {
    for (const { stop } of this.#watched.values()) stop.abort();
    this.#watched.clear();
  }

  /** What the other objects of the namespace take. */
  #bytesBeside(id: string, namespace: string | undefined): number {
    let bytes = 0;
    for (const [other, watched] of this.#watched)
      if (other !== id && watched.namespace === namespace && watched.cache.leftOut === 0) bytes += watched.bytes;
    return bytes;
  }

  #start(id: string, resource: Resource, namespace: string | undefined, name: string): Watched {
    const cache = new Cache<RawObject>({
      reduce: dataOnly,
      share: {
        bytes: MOST_BYTES,
        weigh: ({ data, binaryData }) => {
          watched.bytes = weightOf(data) + (binaryData === undefined ? 0 : weightOf(binaryData));
          return watched.bytes + this.#bytesBeside(id, namespace);
        },
        beyond: (object) => ({ metadata: identify(object), data: {} }),
      },
    });
    // A list of one is a page: a stream would take a connection of its own.
    const timing = { streamsLists: false, ...this.#timing };
    const spec = { resource, namespace, fieldSelector: `metadata.name=${name}`, cache, timing };
    const watch = new Watch<RawObject>(this.#deps, spec);
    const watched: Watched = { namespace, bytes: 0, cache, watch, stop: new AbortController(), users: 0 };
    this.#watched.set(id, watched);
    void watch.run(watched.stop.signal);
    return watched;
  }
}

/** The rest is never read, and it is often the larger half of an object. */
function dataOnly({ data = {}, binaryData, ...object }: RawObject): RawObject {
  const kept = { metadata: identify(object), data };
  return binaryData === undefined ? kept : { ...kept, binaryData };
}

import type { Resource } from '../api/names.ts';
import { keyOf, type RawObject } from '../api/parse.ts';
import { ApiError } from '../errors.ts';
import { statusError } from './answer.ts';
import type { Cache, Entry } from './cache.ts';
import type { KubeClient } from './client.ts';
import type { ListPage } from './object.ts';
import type { Selection } from './options.ts';

/** All objects of a selection, reduced, as they were at one version. */
export interface Listing<T> {
  readonly entries: ReadonlyMap<string, Entry<T>>;
  readonly resourceVersion: string;
}

export interface ListingOptions<T> {
  readonly client: KubeClient;
  readonly resource: Resource;
  readonly selection: Selection;
  readonly cache: Pick<Cache<T>, 'entry'>;
  readonly signal: AbortSignal;
  /** Called for whatever arrives. */
  readonly onBytes: () => void;
}

const STREAM_SECONDS = 300;
/** Marks the bookmark behind the last of the objects that were there already. */
const INITIAL_EVENTS_END = 'k8s.io/initial-events-end';

/**
 * A list as the first part of a watch (KEP-3157): the server sends it from its cache, object by object, in half the time
 * of pages, which it reads from etcd, and there never is more than one object in flight.
 */
export async function listByStream<T>(options: ListingOptions<T> & { readonly idleMs: number }): Promise<Listing<T>> {
  const { client, resource, selection, cache, signal, onBytes, idleMs } = options;
  const entries = new Map<string, Entry<T>>();
  const stream = await client.watch(resource, {
    ...selection,
    initialEvents: true,
    timeoutSeconds: STREAM_SECONDS,
    idleMs,
    signal,
    onBytes,
  });
  for await (const event of stream) {
    if (event.type === 'ERROR') throw statusError(event.object, event.object.code ?? 500);
    const { namespace = '', name = '', resourceVersion = '', annotations } = event.object.metadata ?? {};
    if (event.type === 'BOOKMARK') {
      if (annotations?.[INITIAL_EVENTS_END] === 'true') return { entries, resourceVersion };
      continue;
    }
    if (event.type === 'DELETED') {
      entries.delete(keyOf({ namespace, name }));
      continue;
    }
    const entry = cache.entry(event.object);
    if (entry) entries.set(entry.key, entry);
  }
  throw new ApiError(0, 'InvalidAnswer', 'the list ended before its last object');
}

/** Whether the server refused to list by a stream: its feature gate WatchList is off, as it is by default in 1.31 and 1.33. */
export function isStreamUnsupported(error: unknown): boolean {
  return error instanceof ApiError && (error.status === 400 || error.status === 422);
}

/** A list, page by page. Throws when a continue token has expired: half a list is no list. */
export async function listByPages<T>(options: ListingOptions<T> & { readonly pageSize: number }): Promise<Listing<T>> {
  const { client, resource, selection, cache, signal, onBytes, pageSize } = options;
  const entries = new Map<string, Entry<T>>();
  let limit = pageSize;
  const pageFrom = async (start: string | undefined) => {
    for (;;) {
      try {
        return await client.list(resource, { ...selection, limit, continue: start, signal });
      } catch (error) {
        // Any tenant can create objects of a mebibyte each, of which hundreds would not fit into memory.
        if (limit === 1 || !(error instanceof ApiError) || error.reason !== 'AnswerTooLarge') throw error;
        limit = Math.ceil(limit / 4);
      }
    }
  };
  let resourceVersion = '';
  for (let pending: Promise<ListPage<RawObject>> | undefined = pageFrom(undefined); pending !== undefined; ) {
    const page: ListPage<RawObject> = await pending;
    onBytes();
    resourceVersion = page.metadata.resourceVersion;
    const next = page.metadata.continue ?? '';
    // The server is at the next page while this one is reduced.
    pending = next === '' ? undefined : pageFrom(next);
    for (const item of page.items) {
      const entry = cache.entry(item);
      if (entry) entries.set(entry.key, entry);
    }
  }
  return { entries, resourceVersion };
}

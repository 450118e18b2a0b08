import type { Resource } from '../api/names.ts';
import type { RawObject } from '../api/parse.ts';
import { ApiError } from '../errors.ts';
import { statusError } from './answer.ts';
import type { Draft } from './cache/draft.ts';
import type { KubeClient } from './client.ts';
import type { ListPage } from './object.ts';
import type { Selection } from './options.ts';
import type { WatchTiming } from './watch-backoff.ts';

interface Source {
  readonly client: KubeClient;
  readonly resource: Resource;
  readonly selection: Selection;
  /** Called for whatever arrives. */
  readonly onBytes: () => void;
}

interface ListingOptions<T> extends Source {
  /** Takes what is found. */
  readonly draft: Draft<T>;
  readonly signal: AbortSignal;
}

const STREAM_SECONDS = 300;
/** Marks the bookmark behind the last of the objects that were there already. */
const INITIAL_EVENTS_END = 'k8s.io/initial-events-end';

/** Lists the same selection again and again: by a stream where the server can, else by pages. */
export class Lister<T> {
  readonly #source: Source;
  readonly #timing: Pick<WatchTiming, 'streamsLists' | 'idleMs' | 'pageSize'>;
  /** Whether the next list comes by a stream; `later` after one that failed, which pages make up for. */
  #streams: 'next' | 'later' | 'never';

  constructor(source: Source, timing: Pick<WatchTiming, 'streamsLists' | 'idleMs' | 'pageSize'>) {
    this.#source = source;
    this.#timing = timing;
    this.#streams = timing.streamsLists ? 'next' : 'never';
  }

  /** Reads all objects into the draft, and answers the version at which they were so. Throws where the list is not whole. */
  async list(draft: Draft<T>, signal: AbortSignal): Promise<string> {
    const options = { ...this.#source, draft, signal };
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
}

/**
 * A list as the first part of a watch (KEP-3157): the server sends it from its cache, object by object, in half the time of
 * pages, which it reads from etcd, and there never is more than one object in flight.
 */
async function listByStream<T>(options: ListingOptions<T> & { readonly idleMs: number }): Promise<string> {
  const { client, resource, selection, draft, signal, onBytes, idleMs } = options;
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
    const { resourceVersion = '', annotations } = event.object.metadata ?? {};
    if (event.type === 'BOOKMARK') {
      if (annotations?.[INITIAL_EVENTS_END] === 'true') return resourceVersion;
      continue;
    }
    if (event.type === 'DELETED') draft.remove(event.object);
    else draft.add(event.object);
  }
  throw new ApiError(0, 'InvalidAnswer', 'the list ended before its last object');
}

/** Whether the server refused to list by a stream: its feature gate WatchList is off, as it is by default in 1.31 and 1.33. */
function isStreamUnsupported(error: unknown): boolean {
  return error instanceof ApiError && (error.status === 400 || error.status === 422);
}

/** The same page by page. Throws when a continue token has expired: half a list is no list. */
async function listByPages<T>(options: ListingOptions<T> & { readonly pageSize: number }): Promise<string> {
  const { client, resource, selection, draft, signal, onBytes, pageSize } = options;
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
    for (const item of page.items) draft.add(item);
  }
  return resourceVersion;
}

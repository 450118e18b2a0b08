import type { IncomingMessage } from 'node:http';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import type { RawObject } from '../../../src/api/parse.ts';
import { onStop } from '../../teardown.ts';
import { eventually } from './eventually.ts';
import { plainApi } from './plain-api.ts';
import type { World } from './world.ts';

/** One version of an object, as the API server told of it; moments.ts says when it was written. */
export interface Sighting<T extends RawObject = RawObject> {
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED';
  readonly object: T;
}

export interface Witness<T extends RawObject = RawObject> {
  /** Every version of the object of that name since the witness began, in order. */
  versions(name: string): readonly Sighting<T>[];
  /** Those of every object. */
  all(): readonly Sighting<T>[];
  /** Waits until it has written down all that was there when this was called: it hears later than who asks. */
  settled(): Promise<void>;
  stop(): Promise<void>;
}

/**
 * Writes down every version of every object of a collection, from now on, by a watch of its own. An API server that
 * restarts may have forgotten what it did just before (410); what is there then is written down in its place. It ends
 * with the test file.
 */
export async function witness<T extends RawObject = RawObject>(world: World, path: string): Promise<Witness<T>> {
  const api = plainApi(world.cluster);
  const seen: Sighting<T>[] = [];
  let resourceVersion: string;
  let stream: IncomingMessage | undefined;
  let stopped = false;
  const stop = onStop(() => {
    stopped = true;
    stream?.destroy();
  });

  const look = async () => {
    const list = await api.send<{ metadata: { resourceVersion: string }; items: T[] }>('GET', path);
    const known = new Set(seen.map(({ object }) => object.metadata?.resourceVersion));
    for (const object of list.items)
      if (!known.has(object.metadata?.resourceVersion)) seen.push({ type: 'ADDED', object });
    resourceVersion = list.metadata.resourceVersion;
  };
  const follow = async () => {
    // Bookmarks aren't asked for, so each line is one version.
    stream = await api.open(`${path}?watch=true&resourceVersion=${resourceVersion}&timeoutSeconds=600`);
    // It may have been stopped while this was asked.
    if (stopped) stream.destroy();
    const told = createInterface({ input: stream });
    let forgotten = false;
    told.on('line', (line) => {
      const { type, object } = JSON.parse(line);
      forgotten = type === 'ERROR';
      if (forgotten) return;
      resourceVersion = object.metadata.resourceVersion;
      seen.push({ type, object });
    });
    // Ended by the API server, such as when it restarts: whatever is told next is told from here on.
    stream.once('close', () => void again(forgotten));
    // The close that follows is what counts; readline passes the stream's error on.
    stream.once('error', () => {});
    told.once('error', () => {});
  };
  const again = async (forgotten: boolean) => {
    while (!stopped) {
      await sleep(100);
      try {
        if (forgotten) await look();
        return await follow();
      } catch {
        // As often as it takes: while the API server is away, it can't be asked.
      }
    }
  };
  const settled = async () => {
    const { items } = await api.send<{ items: T[] }>('GET', path);
    const isSeen = (item: T) =>
      seen.some(({ object }) => object.metadata?.resourceVersion === item.metadata?.resourceVersion);
    await eventually(`all of ${path} are written down`, () => items.every(isSeen));
  };
  await look();
  await follow();
  return {
    settled,
    all: () => seen,
    versions: (name) => seen.filter(({ object }) => object.metadata?.name === name),
    stop,
  };
}

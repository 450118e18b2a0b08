import { keyOf, type RawObject } from '../../api/parse.ts';
import { CREATE_ONLY, compareVersions } from '../object.ts';
import { Draft } from './draft.ts';
import { type Entry, entryOf, identityOf, inScope, isNewer, isSame } from './entry.ts';
import type { Indexes, Ranks } from './indexes.ts';
import { type ChangeListener, Listeners } from './listeners.ts';
import type { Share } from './namespace-share.ts';
import { Progress } from './progress.ts';
import { Store } from './store.ts';

type Reduce<T> = (object: RawObject) => T;

export interface CacheOptions<T, Index extends string> {
  /** Makes of an object what is kept of it, on arrival. */
  readonly reduce: Reduce<T>;
  indexes?: Indexes<T, Index>;
  readonly ranks?: Ranks<T, Index> | undefined;
  /** Undefined: all is kept. */
  readonly share?: Share<T> | undefined;
}

/**
 * What the API server holds, reduced, as far as the watches of one or several scopes have come, plus our own writes that
 * they haven't brought yet. Only a relist may take it back in time (a restored etcd starts from an older version).
 */
export class Cache<T, Index extends string = never> {
  readonly #options: CacheOptions<T, Index>;
  readonly #store: Store<T, Index>;
  readonly #listeners = new Listeners<T>();
  readonly #progress = new Progress();
  #writes = 0;
  #onCrowded: (namespace: string) => void = () => {};
  #onBroken: (key: string, error: unknown) => void = () => {};

  constructor(options: CacheOptions<T, Index>) {
    this.#options = options;
    const { indexes = {}, ranks = {} as Ranks<T, Index>, share } = options;
    this.#store = new Store<T, Index>({ indexes, ranks, bytes: share?.bytes ?? Number.POSITIVE_INFINITY });
  }

  get size(): number {
    return this.#store.size;
  }

  /** How many objects there was no room for. */
  get leftOut(): number {
    return this.#store.leftOut.size;
  }

  /** What the objects of a namespace take of its share. */
  usedBy(namespace: string): number {
    return this.#store.shares.used(namespace);
  }

  get(key: string): T | undefined {
    return this.#store.get(key)?.value;
  }

  *values(): Generator<T> {
    for (const entry of this.#store.entries()) yield entry.value;
  }

  keys(): IterableIterator<string> {
    return this.#store.keys();
  }

  byIndex(index: Index, name: string): T[] {
    return this.keysByIndex(index, name).map((key) => this.#store.at(key).value);
  }

  keysByIndex(index: Index, name: string): string[] {
    return this.#store.indexed.under(index, name);
  }

  isIndexed(index: Index, name: string): boolean {
    return this.#store.indexed.has(index, name);
  }

  /** Of those under the name, the one of the lowest rank. */
  firstByIndex(index: Index, name: string): T | undefined {
    const first = this.#store.indexed.first(index, name);
    return first === undefined ? undefined : this.get(first);
  }

  /** Whether several are under the name. */
  isContested(index: Index, name: string): boolean {
    return this.#store.indexed.hasSeveral(index, name);
  }

  /** Whether it is certain that there is no object of that key. */
  isAbsent(key: string): boolean {
    const namespace = key.slice(0, Math.max(0, key.indexOf('/')));
    const isFilled = this.#progress.of(namespace) !== undefined;
    return isFilled && this.#store.get(key) === undefined && !this.#store.leftOut.hasForgotten(namespace);
  }

  /** Whether there was room for all objects of a namespace. */
  isComplete(namespace: string): boolean {
    return !this.#store.leftOut.hasAny(namespace);
  }

  /** Answers the function that ends it. With `ownToo` the listener is called for our own writes too. */
  onChange(listener: ChangeListener<T>, { ownToo = false } = {}): () => void {
    return this.#listeners.add(listener, ownToo);
  }

  /** Called when `reduce` threw, which is a bug: what was known of that object stays, and the others are unharmed. */
  onBroken(report: (key: string, error: unknown) => void): void {
    this.#onBroken = report;
  }

  /** Called once when the share of a namespace is used up. */
  onCrowded(report: (namespace: string) => void): void {
    this.#onCrowded = report;
  }

  /** Swaps what is kept of an object of this version, and calls no listener: the object itself hasn't changed. */
  revise(key: string, resourceVersion: string, value: T): void {
    const before = this.#store.get(key);
    if (before?.resourceVersion !== resourceVersion) return;
    const weight = this.#weigh(before.namespace, value, before.weight ?? 0);
    if (weight !== undefined) this.#store.put(entryOf(before, value, before.written, weight));
  }

  /**
   * Takes in the answer to our own write, so that the next run sees it; the watch's echo of it then calls no listener.
   * `replaces` is the resourceVersion that the write demanded. Where the cache holds that very version (or nothing, for a
   * create-only write), no listener is called now either: nothing but our own change can be in it. `reduce` is for a caller that knows
   * a shorter way to the same value.
   */
  put(object: RawObject, replaces?: string | undefined, reduce: Reduce<T> = this.#options.reduce): void {
    const written = ++this.#writes;
    const id = identityOf(object);
    if (id === undefined) return;
    const before = this.#store.get(id.key);
    if (before ? !isNewer(id, before) : this.#progress.isPast(id)) return;
    const entry = this.#read(object, before?.weight ?? 0, 0, written, reduce);
    if (entry === undefined) return;
    const quiet = replaces !== undefined && (before?.resourceVersion ?? CREATE_ONLY) === replaces;
    this.#set(entry, before, quiet);
  }

  /** What a list is read into, for `replace`. */
  begin(): Draft<T> {
    this.#store.shares.calm();
    return new Draft<T>({
      begun: this.#writes,
      known: (key) => this.#store.get(key),
      read: (object, former, extra) => this.#read(object, former, extra),
    });
  }

  /** Swaps in what a list of the scope found, telling of each difference once all of it is in place. */
  replace(scope: string, { begun, entries, leftOut }: Draft<T>, resourceVersion: string): void {
    const changes: (readonly [string, T | undefined, T | undefined])[] = [];
    for (const before of this.#store.entries()) {
      // The list may have been read before a write of ours that has been answered since.
      const listed = entries.get(before.key);
      const ours =
        before.written > begun &&
        compareVersions(before.resourceVersion, listed?.resourceVersion ?? resourceVersion) > 0;
      if (listed || ours || !inScope(scope, before.namespace)) continue;
      this.#store.drop(before);
      changes.push([before.key, before.value, undefined]);
    }
    this.#store.leftOut.recount(scope, leftOut);
    for (const entry of entries.values()) {
      const before = this.#store.get(entry.key);
      if (before && isSame(before, entry)) continue;
      if (before && before.written > begun && isNewer(before, entry)) continue;
      const forgotten = this.#store.put(entry);
      changes.push([entry.key, before?.value, entry.value]);
      for (const each of forgotten) changes.push([each.key, each.value, undefined]);
    }
    this.#progress.set(scope, resourceVersion);
    this.#store.shares.calm();
    for (const [key, before, after] of changes) this.#listeners.notify(key, before, after);
  }

  /**
   * What a watch says is there; `wasThere` where it has said so before. Duplicates, and what is older than what is known, are
   * ignored.
   */
  upsert(scope: string, object: RawObject, wasThere = false): void {
    const id = identityOf(object);
    if (id === undefined) return;
    this.advance(scope, id.resourceVersion);
    const before = this.#store.get(id.key);
    if (before && !isNewer(id, before)) return;
    if (wasThere && before === undefined) this.#store.leftOut.recall(id.namespace);
    const entry = this.#read(object, before?.weight ?? 0);
    if (entry !== undefined) this.#set(entry, before, false);
  }

  /** What a watch says is gone, unless it has been made again since. */
  remove(scope: string, object: RawObject): void {
    const { namespace = '', name = '', resourceVersion = '' } = object.metadata ?? {};
    this.advance(scope, resourceVersion);
    const before = this.#store.get(keyOf({ namespace, name }));
    if (before === undefined) this.#store.leftOut.recall(namespace);
    else this.absent(before.key, resourceVersion);
  }

  /** What a read past the cache, at this version, did not find. */
  absent(key: string, resourceVersion: string): void {
    const before = this.#store.get(key);
    if (before === undefined || compareVersions(before.resourceVersion, resourceVersion) > 0) return;
    this.#store.drop(before);
    this.#listeners.notify(key, before.value, undefined);
  }

  /** The watch of this scope has brought everything up to this version. */
  advance(scope: string, resourceVersion: string): void {
    this.#progress.advance(scope, resourceVersion);
  }

  /** Makes an entry of an object; what is known where it can't be reduced, and undefined where that is nothing. */
  #read(
    object: RawObject,
    former: number,
    extra = 0,
    written = 0,
    reduce: Reduce<T> = this.#options.reduce,
  ): Entry<T> | undefined {
    const id = identityOf(object);
    if (id === undefined) return undefined;
    // A list of what is known: reducing may be costly. For what was left out there may be room by now.
    const known = this.#store.get(id.key);
    if (known?.resourceVersion === id.resourceVersion && known.uid === id.uid && known.weight !== undefined)
      return known;
    try {
      const value = reduce(object);
      const weight = this.#weigh(id.namespace, value, former, extra);
      const kept = weight === undefined ? (this.#options.share?.beyond(object) as T) : value;
      return entryOf(id, kept, written, weight);
    } catch (error) {
      this.#onBroken(id.key, error);
      return known;
    }
  }

  /** What the value takes of the share of its namespace; undefined where that has no room for it. */
  #weigh(namespace: string, value: T, former: number, extra = 0): number | undefined {
    const weight = this.#options.share?.weigh(value) ?? 0;
    if (this.#store.shares.hasRoom(namespace, weight, former, extra)) return weight;
    if (this.#store.shares.isNews(namespace)) this.#onCrowded(namespace);
    return undefined;
  }

  #set(entry: Entry<T>, before: Entry<T> | undefined, quiet: boolean): void {
    // What can't be reduced stays as it is known.
    if (entry === before) return;
    const forgotten = this.#store.put(entry);
    this.#listeners.notify(entry.key, before?.value, entry.value, quiet);
    for (const each of forgotten) this.#listeners.notify(each.key, each.value, undefined);
  }
}

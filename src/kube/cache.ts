import { keyOf, type RawObject } from '../api/parse.ts';
import { KeyIndex } from './key-index.ts';
import { CREATE_ONLY, compareVersions } from './object.ts';
import { type Share, Shares } from './share.ts';

/** Learns that something changed. Must only note the key: it is called in the middle of reading a watch. */
export type ChangeListener<T> = (key: string, before: T | undefined, after: T | undefined) => void;

export type Indexes<T, Index extends string> = Readonly<Record<Index, (value: T) => readonly string[]>>;

type Reduce<T> = (object: RawObject) => T;

export interface CacheOptions<T, Index extends string> {
  /** Makes of an object what is kept of it, on arrival. */
  readonly reduce: Reduce<T>;
  indexes?: Indexes<T, Index>;
  /** Undefined: all is kept. */
  readonly share?: Share<T> | undefined;
}

/** All namespaces. Any other scope is the namespace of that name. */
export const ALL_NAMESPACES = '';

export interface Entry<T> {
  readonly key: string;
  readonly namespace: string;
  readonly uid: string;
  readonly resourceVersion: string;
  readonly value: T;
  /** Counts our own writes; 0 for what a watch brought. */
  readonly written: number;
  /** What it takes of the share of its namespace; undefined where that had no room for it. */
  readonly weight: number | undefined;
}

/**
 * What the API server holds, reduced, as far as the watches of one or several scopes have told, plus our own writes that
 * they haven't told of yet. Only a relist may take it back in time (a restored etcd starts from an older version).
 */
export class Cache<T, Index extends string = never> {
  readonly #options: CacheOptions<T, Index>;
  readonly #indexes: readonly (readonly [Index, (value: T) => readonly string[]])[];
  readonly #entries = new Map<string, Entry<T>>();
  readonly #indexed = new Map<Index, KeyIndex>();
  /** Whether each wants to hear of our own writes too. */
  readonly #listeners = new Map<ChangeListener<T>, boolean>();
  /** How far each scope has been told; an object that is missing at this version is gone. */
  readonly #progress = new Map<string, string>();
  readonly #shares: Shares<T> | undefined;
  #writes = 0;
  #onCrowded: (namespace: string) => void = () => {};
  #onBroken: (key: string, error: unknown) => void = () => {};

  constructor(options: CacheOptions<T, Index>) {
    this.#options = options;
    this.#shares = options.share && new Shares(options.share);
    this.#indexes = Object.entries(options.indexes ?? {}) as [Index, (value: T) => readonly string[]][];
    for (const [index] of this.#indexes) this.#indexed.set(index, new KeyIndex());
  }

  get size(): number {
    return this.#entries.size;
  }

  /** How many objects there was no room for. */
  get leftOut(): number {
    let count = 0;
    if (this.#shares !== undefined)
      for (const { weight } of this.#entries.values()) count += weight === undefined ? 1 : 0;
    return count;
  }

  get(key: string): T | undefined {
    return this.#entries.get(key)?.value;
  }

  *values(): Generator<T> {
    for (const entry of this.#entries.values()) yield entry.value;
  }

  keys(): IterableIterator<string> {
    return this.#entries.keys();
  }

  byIndex(index: Index, name: string): T[] {
    return this.keysByIndex(index, name).map((key) => (this.#entries.get(key) as Entry<T>).value);
  }

  keysByIndex(index: Index, name: string): string[] {
    return this.#indexed.get(index)?.under(name) ?? [];
  }

  isIndexed(index: Index, name: string): boolean {
    return this.#indexed.get(index)?.has(name) ?? false;
  }

  /** Answers the function that ends it. With `ownToo` the listener hears even of what `put` tells nobody else. */
  onChange(listener: ChangeListener<T>, { ownToo = false } = {}): () => void {
    this.#listeners.set(listener, ownToo);
    return () => this.#listeners.delete(listener);
  }

  /** Who is told that `reduce` threw, which is a bug: what was known of that object stays, and the others are unharmed. */
  onBroken(report: (key: string, error: unknown) => void): void {
    this.#onBroken = report;
  }

  /** Who is told, once, that the share of a namespace is used up. */
  onCrowded(report: (namespace: string) => void): void {
    this.#onCrowded = report;
  }

  /** Swaps what is kept of an object of this version, and tells nobody: it hasn't changed, but something else is asked of it. */
  revise(key: string, resourceVersion: string, value: T): void {
    const before = this.#entries.get(key);
    if (before?.resourceVersion !== resourceVersion) return;
    const weight = this.#weigh(before, value);
    if (weight === undefined) return;
    this.#entries.set(key, { ...before, value, weight });
    this.#reindex(key, before.value, value);
  }

  /**
   * Takes in the answer to our own write, so that the next look sees it; the watch's echo of it then tells nobody.
   * `replaces` is the resourceVersion that the write demanded. Where the cache holds that very version (or nothing, for a
   * create-only write), nobody is told now either: nothing but our own change can be in it. `reduce` is for whoever knows
   * a shorter way to the same value.
   */
  put(object: RawObject, replaces?: string | undefined, reduce: Reduce<T> = this.#options.reduce): void {
    const entry = this.entry(object, ++this.#writes, reduce);
    if (!entry) return;
    const before = this.#entries.get(entry.key);
    if (before ? !isNewer(entry, before) : this.#isPast(entry)) return;
    const quiet = replaces !== undefined && (before?.resourceVersion ?? CREATE_ONLY) === replaces;
    this.#set(entry, before, quiet);
  }

  /** A mark for `replace`, taken before a list is begun. */
  begin(): number {
    this.#shares?.recount(this.#entries.values());
    return this.#writes;
  }

  /** Reduces an object; undefined for one without the metadata that every object has. */
  entry(object: RawObject, written = 0, reduce: Reduce<T> = this.#options.reduce): Entry<T> | undefined {
    const { namespace = '', name = '', uid = '', resourceVersion = '' } = object.metadata ?? {};
    if (name === '' || resourceVersion === '') return undefined;
    const key = keyOf({ namespace, name });
    // The echo of our own write, or a list of what is known: reducing may be costly.
    const known = this.#entries.get(key);
    // For what was left out there may be room by now.
    if (known?.resourceVersion === resourceVersion && known.uid === uid && known.weight !== undefined) return known;
    try {
      const value = reduce(object);
      const weight = this.#weigh({ key, namespace }, value);
      const kept = weight === undefined ? (this.#options.share?.beyond(object) as T) : value;
      return { key, namespace, uid, resourceVersion, value: kept, written, weight };
    } catch (error) {
      this.#onBroken(key, error);
      return known;
    }
  }

  /** Swaps in what a list of the scope found, telling of each difference once all of it is in place. */
  replace(scope: string, entries: ReadonlyMap<string, Entry<T>>, resourceVersion: string, begun: number): void {
    const changes: (readonly [string, T | undefined, T | undefined])[] = [];
    for (const before of this.#entries.values()) {
      // The list may have been read before a write of ours that has been answered since.
      const listed = entries.get(before.key);
      const ours =
        before.written > begun &&
        compareVersions(before.resourceVersion, listed?.resourceVersion ?? resourceVersion) > 0;
      if (listed || ours || !inScope(scope, before.namespace)) continue;
      this.#entries.delete(before.key);
      this.#reindex(before.key, before.value, undefined);
      changes.push([before.key, before.value, undefined]);
    }
    for (const entry of entries.values()) {
      const before = this.#entries.get(entry.key);
      if (before && isSame(before, entry)) continue;
      if (before && before.written > begun && isNewer(before, entry)) continue;
      this.#entries.set(entry.key, entry);
      this.#reindex(entry.key, before?.value, entry.value);
      changes.push([entry.key, before?.value, entry.value]);
    }
    this.#progress.set(scope, resourceVersion);
    this.#shares?.recount(this.#entries.values());
    for (const [key, before, after] of changes) this.#notify(key, before, after);
  }

  /** What a watch says is there. Duplicates, and what is older than what is known, are ignored. */
  upsert(scope: string, object: RawObject): void {
    const entry = this.entry(object);
    if (!entry) return;
    this.advance(scope, entry.resourceVersion);
    const before = this.#entries.get(entry.key);
    if (before && !isNewer(entry, before)) return;
    this.#set(entry, before, false);
  }

  /** What a watch says is gone, unless it has been made again since. */
  remove(scope: string, object: RawObject): void {
    const { namespace = '', name = '', resourceVersion = '' } = object.metadata ?? {};
    this.advance(scope, resourceVersion);
    const key = keyOf({ namespace, name });
    const before = this.#entries.get(key);
    if (!before || compareVersions(before.resourceVersion, resourceVersion) > 0) return;
    this.#entries.delete(key);
    this.#shares?.giveBack(before.namespace, before.weight ?? 0);
    this.#reindex(key, before.value, undefined);
    this.#notify(key, before.value, undefined);
  }

  /** The watch of this scope has told everything up to this version. */
  advance(scope: string, resourceVersion: string): void {
    const known = this.#progress.get(scope);
    if (known === undefined || compareVersions(resourceVersion, known) > 0) this.#progress.set(scope, resourceVersion);
  }

  /** An absent object of a version that the watch has passed was deleted since: a late answer mustn't bring it back. */
  #isPast(entry: Entry<T>): boolean {
    const told = this.#progress.get(ALL_NAMESPACES) ?? this.#progress.get(entry.namespace);
    return told !== undefined && compareVersions(entry.resourceVersion, told) <= 0;
  }

  /** What the value takes of the share of its namespace; undefined where that has no room for it. */
  #weigh({ key, namespace }: Pick<Entry<T>, 'key' | 'namespace'>, value: T): number | undefined {
    if (this.#shares === undefined) return 0;
    const weight = this.#shares.take(namespace, value, this.#entries.get(key)?.weight ?? 0);
    if (weight !== undefined) return weight;
    if (this.#shares.isNews(namespace)) this.#onCrowded(namespace);
    return undefined;
  }

  #set(entry: Entry<T>, before: Entry<T> | undefined, quiet: boolean): void {
    if (entry.weight === undefined) this.#shares?.giveBack(entry.namespace, before?.weight ?? 0);
    this.#entries.set(entry.key, entry);
    this.#reindex(entry.key, before?.value, entry.value);
    this.#notify(entry.key, before?.value, entry.value, quiet);
  }

  #notify(key: string, before: T | undefined, after: T | undefined, own = false): void {
    for (const [listener, ownToo] of this.#listeners) if (!own || ownToo) listener(key, before, after);
  }

  #reindex(key: string, before: T | undefined, after: T | undefined): void {
    for (const [index, namesOf] of this.#indexes) {
      const found = this.#indexed.get(index) as KeyIndex;
      for (const name of before === undefined ? [] : namesOf(before)) found.unfile(name, key);
      for (const name of after === undefined ? [] : namesOf(after)) found.file(name, key);
    }
  }
}

function isSame<T>(one: Entry<T>, other: Entry<T>): boolean {
  const isKeptAlike = (one.weight === undefined) === (other.weight === undefined);
  return one.resourceVersion === other.resourceVersion && one.uid === other.uid && isKeptAlike;
}

function isNewer<T>(entry: Entry<T>, than: Entry<T>): boolean {
  return compareVersions(entry.resourceVersion, than.resourceVersion) > 0;
}

function inScope(scope: string, namespace: string): boolean {
  return scope === ALL_NAMESPACES || scope === namespace;
}

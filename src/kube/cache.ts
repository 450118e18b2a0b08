import { keyOf, type RawObject } from '../api/parse.ts';
import { CREATE_ONLY, compareVersions } from './object.ts';

/** Learns that something changed. Must only note the key: it is called in the middle of reading a watch. */
export type ChangeListener<T> = (key: string, before: T | undefined, after: T | undefined) => void;

export type Indexes<T, Index extends string> = Readonly<Record<Index, (value: T) => readonly string[]>>;

type Reduce<T> = (object: RawObject) => T;

export interface CacheOptions<T, Index extends string> {
  /** Makes of an object what is kept of it, on arrival. */
  readonly reduce: Reduce<T>;
  indexes?: Indexes<T, Index>;
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
}

/**
 * What the API server holds, reduced, as far as the watches of one or several scopes have told, plus our own writes that
 * they haven't told of yet. Only a relist may take it back in time (a restored etcd starts from an older version).
 */
export class Cache<T, Index extends string = never> {
  readonly #options: CacheOptions<T, Index>;
  readonly #indexes: readonly (readonly [Index, (value: T) => readonly string[]])[];
  readonly #entries = new Map<string, Entry<T>>();
  /** A name that leads to one key holds the bare key: most do, and a Set for each would be a tenth of the memory. */
  readonly #indexed = new Map<Index, Map<string, string | Set<string>>>();
  /** Whether each wants to hear of our own writes too. */
  readonly #listeners = new Map<ChangeListener<T>, boolean>();
  /** How far each scope has been told; an object that is missing at this version is gone. */
  readonly #progress = new Map<string, string>();
  #writes = 0;
  #onBroken: (key: string, error: unknown) => void = () => {};

  constructor(options: CacheOptions<T, Index>) {
    this.#options = options;
    this.#indexes = Object.entries(options.indexes ?? {}) as [Index, (value: T) => readonly string[]][];
    for (const [index] of this.#indexes) this.#indexed.set(index, new Map());
  }

  get size(): number {
    return this.#entries.size;
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
    const keys = this.#indexed.get(index)?.get(name) ?? [];
    return typeof keys === 'string' ? [keys] : [...keys];
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
    return this.#writes;
  }

  /** Reduces an object; undefined for one without the metadata that every object has. */
  entry(object: RawObject, written = 0, reduce: Reduce<T> = this.#options.reduce): Entry<T> | undefined {
    const { namespace = '', name = '', uid = '', resourceVersion = '' } = object.metadata ?? {};
    if (name === '' || resourceVersion === '') return undefined;
    const key = keyOf({ namespace, name });
    // The echo of our own write, or a list of what is known: reducing may be costly.
    const known = this.#entries.get(key);
    if (known?.resourceVersion === resourceVersion && known.uid === uid) return known;
    try {
      return { key, namespace, uid, resourceVersion, value: reduce(object), written };
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
      if (before && before.resourceVersion === entry.resourceVersion && before.uid === entry.uid) continue;
      if (before && before.written > begun && isNewer(before, entry)) continue;
      this.#entries.set(entry.key, entry);
      this.#reindex(entry.key, before?.value, entry.value);
      changes.push([entry.key, before?.value, entry.value]);
    }
    this.#progress.set(scope, resourceVersion);
    for (const [key, before, after] of changes) this.#tell(key, before, after);
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
    this.#reindex(key, before.value, undefined);
    this.#tell(key, before.value, undefined);
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

  #set(entry: Entry<T>, before: Entry<T> | undefined, quiet: boolean): void {
    this.#entries.set(entry.key, entry);
    this.#reindex(entry.key, before?.value, entry.value);
    this.#tell(entry.key, before?.value, entry.value, quiet);
  }

  #tell(key: string, before: T | undefined, after: T | undefined, own = false): void {
    for (const [listener, ownToo] of this.#listeners) if (!own || ownToo) listener(key, before, after);
  }

  #reindex(key: string, before: T | undefined, after: T | undefined): void {
    for (const [index, namesOf] of this.#indexes) {
      const found = this.#indexed.get(index) as Map<string, string | Set<string>>;
      for (const name of before === undefined ? [] : namesOf(before)) unfile(found, name, key);
      for (const name of after === undefined ? [] : namesOf(after)) file(found, name, key);
    }
  }
}

function file(index: Map<string, string | Set<string>>, name: string, key: string): void {
  const keys = index.get(name);
  if (keys === undefined) index.set(name, key);
  else if (typeof keys !== 'string') keys.add(key);
  else if (keys !== key) index.set(name, new Set([keys, key]));
}

function unfile(index: Map<string, string | Set<string>>, name: string, key: string): void {
  const keys = index.get(name);
  if (keys === undefined) return;
  if (typeof keys !== 'string') keys.delete(key);
  if (keys === key || (typeof keys !== 'string' && keys.size === 0)) index.delete(name);
}

function isNewer<T>(entry: Entry<T>, than: Entry<T>): boolean {
  return compareVersions(entry.resourceVersion, than.resourceVersion) > 0;
}

function inScope(scope: string, namespace: string): boolean {
  return scope === ALL_NAMESPACES || scope === namespace;
}

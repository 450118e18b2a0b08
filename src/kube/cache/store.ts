import type { Entry } from './entry.ts';
import { IndexedKeys, type Indexes, type Ranks } from './indexes.ts';
import { LeftOut } from './left-out.ts';
import { Shares } from './namespace-share.ts';

interface StoreOptions<T, Index extends string> {
  readonly indexes: Partial<Indexes<T, Index>>;
  readonly ranks: Ranks<T, Index>;
  /** What a namespace may take. */
  readonly bytes: number;
}

/** The entries of a cache, with what follows from each: its places in the indexes, and what it takes of a share. */
export class Store<T, Index extends string> {
  readonly indexed: IndexedKeys<T, Index>;
  readonly shares: Shares;
  /** Those of which less is kept, since their namespaces had no room for them. */
  readonly leftOut = new LeftOut();
  readonly #entries = new Map<string, Entry<T>>();

  constructor({ indexes, ranks, bytes }: StoreOptions<T, Index>) {
    this.indexed = new IndexedKeys(indexes, ranks, (key) => this.at(key).value);
    this.shares = new Shares(bytes);
  }

  get size(): number {
    return this.#entries.size;
  }

  get(key: string): Entry<T> | undefined {
    return this.#entries.get(key);
  }

  /** Of a key that is in here. */
  at(key: string): Entry<T> {
    return this.#entries.get(key) as Entry<T>;
  }

  entries(): IterableIterator<Entry<T>> {
    return this.#entries.values();
  }

  keys(): IterableIterator<string> {
    return this.#entries.keys();
  }

  /** Answers what is forgotten for it. */
  put(entry: Entry<T>): Entry<T>[] {
    const { key, namespace, value, weight } = entry;
    const before = this.#entries.get(key);
    this.#entries.set(key, entry);
    this.shares.book(namespace, before?.weight ?? 0, weight ?? 0);
    this.indexed.move(key, before?.value, value);
    if (weight !== undefined) {
      this.leftOut.drop(namespace, key);
      return [];
    }
    const forgotten = this.leftOut.add(namespace, key, value).map((each) => this.at(each));
    for (const each of forgotten) this.drop(each);
    return forgotten;
  }

  drop({ key, namespace, value, weight }: Entry<T>): void {
    this.#entries.delete(key);
    this.shares.book(namespace, weight ?? 0, 0);
    this.leftOut.drop(namespace, key);
    this.indexed.move(key, value, undefined);
  }
}

import { KeyIndex } from './key-index.ts';
import { RankedIndex } from './ranked-index.ts';

/** The names under which an index finds a value. */
export type Indexes<T, Index extends string> = Readonly<Record<Index, (value: T) => readonly string[]>>;

/** The order of those that an index finds under one name; an index that isn't in here has none. */
export type Ranks<T, Index extends string> = Readonly<Partial<Record<Index, (value: T) => string>>>;

/** The keys of a cache by what their values say. */
export class IndexedKeys<T, Index extends string> {
  readonly #namesOf: readonly (readonly [Index, (value: T) => readonly string[]])[];
  readonly #ranks: Ranks<T, Index>;
  readonly #indexes = new Map<Index, KeyIndex | RankedIndex>();

  constructor(indexes: Partial<Indexes<T, Index>>, ranks: Ranks<T, Index>, valueAt: (key: string) => T) {
    this.#namesOf = Object.entries(indexes) as [Index, (value: T) => readonly string[]][];
    this.#ranks = ranks;
    for (const [index] of this.#namesOf) {
      const rank = ranks[index];
      this.#indexes.set(index, rank ? new RankedIndex((key) => rank(valueAt(key))) : new KeyIndex());
    }
  }

  under(index: Index, name: string): string[] {
    return this.#indexes.get(index)?.under(name) ?? [];
  }

  /** The key of the lowest rank. */
  first(index: Index, name: string): string | undefined {
    const found = this.#indexes.get(index);
    return found instanceof RankedIndex ? found.first(name) : found?.under(name)[0];
  }

  has(index: Index, name: string): boolean {
    return this.#indexes.get(index)?.has(name) ?? false;
  }

  hasSeveral(index: Index, name: string): boolean {
    return this.#indexes.get(index)?.hasSeveral(name) ?? false;
  }

  /** To be called once `after` is the value of the key. */
  move(key: string, before: T | undefined, after: T | undefined): void {
    for (const [index, namesOf] of this.#namesOf) {
      const found = this.#indexes.get(index) as KeyIndex | RankedIndex;
      const rankOf = this.#ranks[index] ?? (() => '');
      if (before !== undefined) for (const name of namesOf(before)) found.unfile(name, key, rankOf(before));
      if (after !== undefined) for (const name of namesOf(after)) found.file(name, key, rankOf(after));
    }
  }
}

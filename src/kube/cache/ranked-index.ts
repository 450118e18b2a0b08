import { SortedList } from '../../queue/sorted-list.ts';

interface Ranked {
  readonly key: string;
  readonly rank: string;
}

/**
 * Which keys each name leads to, in the order of their ranks. A name that leads to one key holds the bare key, as in a
 * KeyIndex: the rank of that key is asked for when another comes.
 */
export class RankedIndex {
  readonly #keys = new Map<string, string | SortedList<Ranked>>();
  readonly #rankOf: (key: string) => string;

  constructor(rankOf: (key: string) => string) {
    this.#rankOf = rankOf;
  }

  under(name: string): string[] {
    const keys = this.#keys.get(name) ?? [];
    return typeof keys === 'string' ? [keys] : Array.from(keys, ({ key }) => key);
  }

  /** The key of the lowest rank. */
  first(name: string): string | undefined {
    const keys = this.#keys.get(name);
    return typeof keys === 'object' ? keys.at(0)?.key : keys;
  }

  has(name: string): boolean {
    return this.#keys.has(name);
  }

  hasSeveral(name: string): boolean {
    return typeof this.#keys.get(name) === 'object';
  }

  file(name: string, key: string, rank: string): void {
    const keys = this.#keys.get(name);
    if (keys === undefined) this.#keys.set(name, key);
    else if (typeof keys === 'object') keys.add({ key, rank });
    else if (keys !== key) {
      const several = new SortedList<Ranked>(isBefore);
      several.add({ key: keys, rank: this.#rankOf(keys) });
      several.add({ key, rank });
      this.#keys.set(name, several);
    }
  }

  /** `rank` is the one under which the key was filed. */
  unfile(name: string, key: string, rank: string): void {
    const keys = this.#keys.get(name);
    if (keys === key) this.#keys.delete(name);
    if (typeof keys !== 'object') return;
    keys.remove({ key, rank });
    if (keys.length === 1) this.#keys.set(name, keys.at(0)?.key as string);
  }
}

function isBefore(one: Ranked, other: Ranked): boolean {
  return one.rank === other.rank ? one.key < other.key : one.rank < other.rank;
}

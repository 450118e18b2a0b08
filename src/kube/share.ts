import type { RawObject } from '../api/parse.ts';

/** How much of what the objects of one namespace say a cache keeps, so that no namespace takes the memory of all. */
export interface Share<T> {
  /** For each namespace. */
  readonly bytes: number;
  /** What it takes to keep the value, in bytes, roughly. */
  weigh(value: T): number;
  /** What is kept of an object for which its namespace has no room left. It weighs nothing. */
  beyond(object: RawObject): T;
}

/** What the namespaces of one cache use of their shares. */
export class Shares<T> {
  readonly #share: Share<T>;
  readonly #used = new Map<string, number>();
  readonly #crowded = new Set<string>();

  constructor(share: Share<T>) {
    this.#share = share;
  }

  /** Takes room for a value in place of one of the weight `former`, and answers its weight; undefined where there is no room. */
  take(namespace: string, value: T, former: number): number | undefined {
    const weight = this.#share.weigh(value);
    const used = (this.#used.get(namespace) ?? 0) - former + weight;
    if (used > this.#share.bytes && weight > former) return undefined;
    this.#used.set(namespace, used);
    return weight;
  }

  giveBack(namespace: string, weight: number): void {
    this.#used.set(namespace, (this.#used.get(namespace) ?? 0) - weight);
  }

  /** Whether it is news that the namespace has no room left. */
  isNews(namespace: string): boolean {
    if (this.#crowded.has(namespace)) return false;
    this.#crowded.add(namespace);
    return true;
  }

  /** Begins anew with what is kept now: what was taken for values that were never kept is given back. */
  recount(kept: Iterable<{ readonly namespace: string; readonly weight: number | undefined }>): void {
    this.#used.clear();
    for (const { namespace, weight = 0 } of kept) this.giveBack(namespace, -weight);
    for (const namespace of this.#crowded)
      if ((this.#used.get(namespace) ?? 0) < this.#share.bytes / 2) this.#crowded.delete(namespace);
  }
}

/** What a value of JSON takes in memory, in bytes, roughly. */
export function weightOf(value: unknown): number {
  if (typeof value === 'string') return 24 + (isLatin1(value) ? value.length : 2 * value.length);
  if (typeof value !== 'object' || value === null) return 8;
  let weight = 32;
  for (const [key, each] of Object.entries(value)) weight += 8 + key.length + weightOf(each);
  return weight;
}

/** V8 keeps such a string with one byte for each character, and any other with two. */
function isLatin1(text: string): boolean {
  return !/[^\0-\xff]/.test(text);
}

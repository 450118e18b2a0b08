import type { RawObject } from '../../api/parse.ts';

/** How much of what the objects of one namespace say a cache keeps, so that no namespace takes the memory of all. */
export interface Share<T> {
  /** For each namespace. */
  readonly bytes: number;
  /** What it takes to keep the value, in bytes, roughly. */
  weigh(value: T): number;
  /** What is kept of an object for which its namespace has no room left. It weighs nothing. */
  beyond(object: RawObject): T;
}

/** What each object takes in a cache beside its value: its entry and key (280 bytes, measured), and its places in the indexes. */
export const ENTRY_BYTES = 400;

/** What the namespaces of one cache use of their shares: the sum of the weights of what is stored, and of nothing else. */
export class Shares {
  readonly #bytes: number;
  readonly #used = new Map<string, number>();
  readonly #crowded = new Set<string>();

  constructor(bytes: number) {
    this.#bytes = bytes;
  }

  used(namespace: string): number {
    return this.#used.get(namespace) ?? 0;
  }

  /** Whether there is room for a weight in place of a former one, beside `extra`; what shrinks always has it. */
  hasRoom(namespace: string, weight: number, former: number, extra = 0): boolean {
    return weight <= former || this.used(namespace) + extra - former + weight <= this.#bytes;
  }

  /** To be called whenever what is stored changes, with the weights before and after. */
  book(namespace: string, former: number, weight: number): void {
    const used = this.used(namespace) - former + weight;
    if (used === 0) this.#used.delete(namespace);
    else this.#used.set(namespace, used);
  }

  /** Whether it is news that the namespace has no room left. */
  isNews(namespace: string): boolean {
    if (this.#crowded.has(namespace)) return false;
    this.#crowded.add(namespace);
    return true;
  }

  /** From now on it is news again of the namespaces that have much room. */
  calm(): void {
    for (const namespace of this.#crowded) if (this.used(namespace) < this.#bytes / 2) this.#crowded.delete(namespace);
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

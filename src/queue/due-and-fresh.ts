import { Heap } from './heap.ts';

/** A deadline before every other that there is. */
export const FIRST = Number.NEGATIVE_INFINITY;

/** A key that waits. */
export interface Waiter {
  readonly key: string;
  /** Since when; any unit that grows. */
  readonly at: number;
  /** By when the work should be done, in milliseconds since the epoch; undefined where there is no such moment. */
  readonly deadline: number | undefined;
}

/**
 * Two lines: of those with a deadline the earliest comes first, of those without one the longest waiting. While
 * both wait they take turns, so that neither the new nor the due can starve the other.
 */
export class DueAndFresh {
  readonly #due = new Heap<Waiter>((one, other) => (one.deadline ?? 0) - (other.deadline ?? 0) || one.at - other.at);
  readonly #fresh = new Heap<Waiter>((one, other) => one.at - other.at);
  readonly #counts: (waiter: Waiter) => boolean;
  #dueIsNext = false;

  /** `counts` distinguishes keys that still wait from entries that were left behind in a heap. */
  constructor(counts: (waiter: Waiter) => boolean) {
    this.#counts = counts;
  }

  push(waiter: Waiter): void {
    (waiter.deadline === undefined ? this.#fresh : this.#due).push(waiter);
  }

  /** Takes out the next. */
  pop(): Waiter | undefined {
    const fresh = firstThat(this.#counts, this.#fresh);
    const due = fresh === undefined || this.#dueIsNext ? this.popDue() : undefined;
    if (due !== undefined || fresh === undefined) return due;
    this.#dueIsNext = true;
    return this.#fresh.pop();
  }

  /** Takes out the earliest deadline, as the turn of those that have one. */
  popDue(): Waiter | undefined {
    if (firstThat(this.#counts, this.#due) === undefined) return undefined;
    this.#dueIsNext = false;
    return this.#due.pop();
  }

  /** Drops what was left behind. */
  tidy(): void {
    for (const heap of [this.#due, this.#fresh]) heap.keep(this.#counts);
  }

  get size(): number {
    return this.#due.size + this.#fresh.size;
  }

  clear(): void {
    for (const heap of [this.#due, this.#fresh]) heap.keep(() => false);
  }
}

/** The first item that still counts; others are dropped on the way. */
export function firstThat<T>(counts: (item: T) => boolean, heap: Heap<T>): T | undefined {
  for (let item = heap.peek(); item !== undefined; item = heap.peek()) {
    if (counts(item)) return item;
    heap.pop();
  }
  return undefined;
}

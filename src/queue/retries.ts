import { type Backoff, backoffMs } from './backoff.ts';

/** A call that failed, and that is to be made again. */
interface Retry<T> {
  /** What the call is about. */
  readonly item: T;
  /** How many of its calls have failed. */
  readonly attempts: number;
  /** When to call again, on the monotonic clock. */
  readonly againAtMs: number;
}

interface RetryBounds {
  readonly backoff: Backoff;
  /** An item whose calls have failed so many times is given up. */
  readonly mostAttempts: number;
  /** Of all keys together; further items are given up at once. */
  readonly mostItems: number;
}

/** Calls that failed, under the keys of the objects that they were made for, in memory only. It makes no call itself. */
export class Retries<T extends { readonly id: string }> {
  readonly #bounds: RetryBounds;
  readonly #byKey = new Map<string, readonly Retry<T>[]>();
  #count = 0;

  constructor(bounds: RetryBounds) {
    this.#bounds = bounds;
  }

  get size(): number {
    return this.#count;
  }

  /** Notes a failure; false where the call will not be made again. `random` is in [0, 1). */
  failed(key: string, item: T, nowMs: number, random: number): boolean {
    const { backoff, mostAttempts, mostItems } = this.#bounds;
    const known = this.#of(key).find((each) => each.item.id === item.id);
    const attempts = (known?.attempts ?? 0) + 1;
    this.done(key, item);
    if (attempts >= mostAttempts || this.#count >= mostItems) return false;
    const retry = { item, attempts, againAtMs: nowMs + backoffMs(attempts, backoff, random) };
    this.#set(key, [...this.#of(key), retry]);
    return true;
  }

  /** No call is needed any more. */
  done(key: string, { id }: Pick<T, 'id'>): void {
    this.#set(
      key,
      this.#of(key).filter(({ item }) => item.id !== id),
    );
  }

  /** What is to be called now for that key. */
  due(key: string, nowMs: number): readonly T[] {
    return this.#of(key).flatMap(({ item, againAtMs }) => (againAtMs <= nowMs ? [item] : []));
  }

  /** How long the next call for that key has to wait; undefined where there is none. */
  nextInMs(key: string, nowMs: number): number | undefined {
    const waits = this.#of(key).map(({ againAtMs }) => againAtMs - nowMs);
    return waits.length === 0 ? undefined : Math.max(0, Math.min(...waits));
  }

  #of(key: string): readonly Retry<T>[] {
    return this.#byKey.get(key) ?? [];
  }

  #set(key: string, all: readonly Retry<T>[]): void {
    this.#count += all.length - this.#of(key).length;
    if (all.length === 0) this.#byKey.delete(key);
    else this.#byKey.set(key, all);
  }
}

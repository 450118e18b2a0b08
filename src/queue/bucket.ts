import { CountedShare } from './counted-share.ts';

export interface BucketLimits {
  /** So many at once after a pause. */
  readonly capacity: number;
  /** Then one in each such time, in milliseconds. */
  readonly refillMs: number;
  /** The part of that which counts here, in (0, 1]: others have the rest. All without it. */
  readonly share?: (() => number) | undefined;
}

/** A token bucket. Moments are milliseconds of a monotonic clock. */
export class Bucket {
  readonly #limits: BucketLimits;
  readonly #share: CountedShare;
  #capacity: number;
  #tokens: number;
  #filledAtMs = 0;

  constructor(limits: BucketLimits) {
    this.#limits = limits;
    this.#share = new CountedShare(limits.share);
    this.#capacity = limits.capacity;
    this.#tokens = limits.capacity;
  }

  /** From now on so many at once. */
  resize(capacity: number): void {
    this.#capacity = capacity;
  }

  /** Takes a token: 0; or takes none and answers in how many milliseconds there is one. */
  take(nowMs: number): number {
    const waitMs = this.untilNext(nowMs);
    if (waitMs === 0) this.#tokens -= 1;
    return waitMs;
  }

  /** In how many milliseconds there is a token: 0 where there is one. */
  untilNext(nowMs: number): number {
    if (this.available(nowMs) > 0) return 0;
    return Math.ceil(((1 - this.#tokens) * this.#limits.refillMs) / this.#share.now);
  }

  /** How many tokens there are. */
  available(nowMs: number): number {
    const { refillMs } = this.#limits;
    const share = this.#share.sinceThen();
    const most = Math.max(1, this.#capacity * share);
    this.#tokens = Math.min(most, this.#tokens + (Math.max(0, nowMs - this.#filledAtMs) * share) / refillMs);
    this.#filledAtMs = nowMs;
    // Not quite 1 after the very wait that was answered: fractions are binary.
    return Math.floor(this.#tokens + 1e-9);
  }
}

/** How often full buckets are dropped. */
const PRUNED_EVERY_MS = 10_000;

/** A token bucket for each key. */
export class Buckets {
  readonly #limits: BucketLimits;
  readonly #buckets = new Map<string, { readonly bucket: Bucket; usedAtMs: number }>();
  #prunedAtMs = 0;

  constructor(limits: BucketLimits) {
    this.#limits = limits;
  }

  get size(): number {
    return this.#buckets.size;
  }

  /** See Bucket. */
  take(key: string, nowMs: number): number {
    this.#prune(nowMs);
    const known = this.#buckets.get(key) ?? { bucket: new Bucket(this.#limits), usedAtMs: nowMs };
    known.usedAtMs = nowMs;
    this.#buckets.set(key, known);
    return known.bucket.take(nowMs);
  }

  #prune(nowMs: number): void {
    if (nowMs - this.#prunedAtMs < PRUNED_EVERY_MS) return;
    this.#prunedAtMs = nowMs;
    const { capacity, refillMs } = this.#limits;
    for (const [key, { usedAtMs }] of this.#buckets)
      if (nowMs - usedAtMs >= capacity * refillMs) this.#buckets.delete(key);
  }
}

interface Limits {
  readonly most: number;
  readonly mostWeight: number;
}

interface Kept<V> {
  readonly value: V;
  readonly weight: number;
}

/**
 * Values that are dear to make, by key; those that were used longest ago are dropped. What was used twice is dropped for its
 * like alone, so that many keys which come once leave it where it is.
 */
export class RecentlyUsed<V> {
  readonly #once: Lane<V>;
  readonly #again: Lane<V>;

  /** Half of the limits is for what was used twice. */
  constructor({ most, mostWeight }: Limits) {
    const half = { most: most / 2, mostWeight: mostWeight / 2 };
    this.#once = new Lane(half);
    this.#again = new Lane(half);
  }

  get(key: string): V | undefined {
    const kept = this.#again.take(key) ?? this.#once.take(key);
    if (kept === undefined) return undefined;
    this.#again.add(key, kept);
    return kept.value;
  }

  set(key: string, value: V, weight: number): void {
    this.#again.take(key);
    this.#once.take(key);
    this.#once.add(key, { value, weight });
  }
}

/** In the order of use. */
class Lane<V> {
  readonly #limits: Limits;
  readonly #kept = new Map<string, Kept<V>>();
  #weight = 0;

  constructor(limits: Limits) {
    this.#limits = limits;
  }

  take(key: string): Kept<V> | undefined {
    const kept = this.#kept.get(key);
    if (kept === undefined) return undefined;
    this.#kept.delete(key);
    this.#weight -= kept.weight;
    return kept;
  }

  add(key: string, kept: Kept<V>): void {
    this.#kept.set(key, kept);
    this.#weight += kept.weight;
    for (const oldest of this.#kept.keys()) {
      if (this.#kept.size <= this.#limits.most && this.#weight <= this.#limits.mostWeight) return;
      this.take(oldest);
    }
  }
}

import type { LeaseView } from './lease-view.ts';
import type { ShardTiming } from './timing.ts';

/**
 * Leases that were deleted, or lost their label. The holder may not have noticed, or may be cut off from the API server and not from
 * the CA. So these Leases count as held for as long as the holder may act.
 */
export class Vanished {
  readonly #timing: Pick<ShardTiming, 'durationMs'>;
  readonly #own: () => string | undefined;
  readonly #last = new Map<string, LeaseView>();
  readonly #sinceMs = new Map<string, number>();

  /** `own` is the identity of this replica, which knows what it does. */
  constructor(timing: Pick<ShardTiming, 'durationMs'>, own: () => string | undefined) {
    this.#timing = timing;
    this.#own = own;
  }

  /** What counts of a Lease; `known` is what the watch says of it, and `nowMs` on the monotonic clock. */
  find(name: string, known: LeaseView | undefined, nowMs: number): LeaseView | undefined {
    if (known !== undefined) {
      this.#sinceMs.delete(name);
      this.#last.set(name, known);
      return known;
    }
    const last = this.#last.get(name);
    if (last === undefined || last.holder === '' || last.holder === this.#own()) return undefined;
    const sinceMs = this.#sinceMs.get(name) ?? nowMs;
    this.#sinceMs.set(name, sinceMs);
    if (nowMs - sinceMs < this.#timing.durationMs) return { ...last, seenAtMs: sinceMs };
    this.#last.delete(name);
    this.#sinceMs.delete(name);
    return undefined;
  }
}

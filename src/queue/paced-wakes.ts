import type { Clock } from '../clock.ts';

interface PacedDeps {
  readonly clock: Clock;
  wake(key: string, at: Date): void;
}

/**
 * Wakes many keys for one change, one after the other, so that a change which comes again and again costs no more than that
 * pace. What changes meanwhile wakes them once more afterwards.
 */
export class PacedWakes {
  readonly #deps: PacedDeps;
  readonly #apartMs: number;
  readonly #walks = new Map<string, { again: boolean }>();

  constructor(deps: PacedDeps, apartMs: number) {
    this.#deps = deps;
    this.#apartMs = apartMs;
  }

  /** `keys` is asked for those that a change of `id` concerns, once for each walk. */
  wake(id: string, keys: () => readonly string[]): void {
    const walk = this.#walks.get(id);
    if (walk !== undefined) {
      walk.again = true;
      return;
    }
    const woken = keys();
    if (woken.length === 0) return;
    const nowMs = this.#deps.clock.now().getTime();
    for (const [index, key] of woken.entries()) this.#deps.wake(key, new Date(nowMs + (index + 1) * this.#apartMs));
    const begun = { again: false };
    this.#walks.set(id, begun);
    setTimeout(() => {
      this.#walks.delete(id);
      if (begun.again) this.wake(id, keys);
    }, woken.length * this.#apartMs).unref();
  }
}

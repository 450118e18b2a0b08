import type { Clock } from '../clock.ts';

/** A pause that ends when something changes. What changes between two pauses ends the next one at once. */
export class Pause {
  readonly #clock: Clock;
  #wake: (() => void) | undefined;
  #isChanged = false;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  end(): void {
    this.#isChanged = true;
    this.#wake?.();
  }

  /** That long, or until the signal aborts. */
  async during(ms: number, signal: AbortSignal): Promise<void> {
    const woken = new AbortController();
    const wake = () => woken.abort();
    this.#wake = wake;
    signal.addEventListener('abort', wake);
    if (!this.#isChanged) await this.#clock.sleep(ms, woken.signal).catch(() => {});
    signal.removeEventListener('abort', wake);
    this.#wake = undefined;
    this.#isChanged = false;
  }
}

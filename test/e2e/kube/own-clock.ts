import { type Clock, systemClock } from '../../../src/clock.ts';

/** The clock of one process among several: wrong by some amount, and able to stand still as under SIGSTOP. */
export class OwnClock implements Clock {
  /** What its wall clock is wrong by. */
  skewMs = 0;
  /** What its monotonic clock has been wound forward. */
  aheadMs = 0;
  #thawed: Promise<void> | undefined;
  #thaw: (() => void) | undefined;

  now(): Date {
    return new Date(performance.timeOrigin + performance.now() + this.skewMs + this.aheadMs);
  }

  monotonicMs(): number {
    return performance.now() + this.aheadMs;
  }

  random(): number {
    return systemClock.random();
  }

  /** While frozen no timer fires; the clock itself goes on. */
  async sleep(ms: number, signal?: AbortSignal): Promise<void> {
    await systemClock.sleep(ms, signal);
    await this.#thawed;
  }

  freeze(): void {
    this.#thawed = new Promise((resolve) => {
      this.#thaw = resolve;
    });
  }

  thaw(): void {
    this.#thaw?.();
    this.#thawed = undefined;
  }
}

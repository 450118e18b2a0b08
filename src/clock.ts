import { setTimeout as delay } from 'node:timers/promises';

/** Node fires a timer above 2^31-1 ms after 1 ms; a longer wait must compare the clock again on waking. */
export const LONGEST_TIMER_MS = 2 ** 31 - 1;

/** Time and chance, injected: nothing else in Certwheel may read a clock or draw a random number. */
export interface Clock {
  now(): Date;
  /** Milliseconds of a clock that never jumps; it goes on while the process is stopped (SIGSTOP), so a Lease can expire on it. */
  monotonicMs(): number;
  /** Resolves after `ms` (clamped to the longest timer), rejects with the signal's reason when that aborts. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
  /** In [0, 1). */
  random(): number;
}

export const systemClock: Clock = {
  now: () => new Date(),
  monotonicMs: () => performance.now(),
  sleep: (ms, signal) => delay(clampDelay(ms), undefined, signal ? { signal, ref: true } : {}),
  random: () => Math.random(),
};

export function clampDelay(ms: number): number {
  return Math.min(Math.max(0, Math.ceil(ms)), LONGEST_TIMER_MS);
}

export interface Backoff {
  readonly firstMs: number;
  readonly longestMs: number;
}

/**
 * Doubles with each attempt (from 1) up to the longest, then spreads by a fifth to both sides so that callers that failed
 * together don't come back together. `random` is in [0, 1).
 */
export function backoffMs(attempt: number, { firstMs, longestMs }: Backoff, random: number): number {
  const exponent = Math.min(Math.max(1, attempt) - 1, 30);
  return Math.min(firstMs * 2 ** exponent, longestMs) * (0.8 + 0.4 * random);
}

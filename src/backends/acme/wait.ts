import type { Clock } from '../../clock.ts';

const FIRST_MS = 250;
const LONGEST_MS = 5_000;

/**
 * Asks again until `isDone`, or until so long has passed. Between two looks it waits as long as the server wants, or else
 * longer each time. Answers the last look.
 */
export async function pollUntil<T extends { readonly retryAfterMs: number | undefined }>(
  look: () => Promise<T>,
  isDone: (seen: T) => boolean,
  withinMs: number,
  clock: Clock,
  signal: AbortSignal,
): Promise<T> {
  const untilMs = clock.monotonicMs() + withinMs;
  for (let waitMs = FIRST_MS; ; waitMs = Math.min(LONGEST_MS, 2 * waitMs)) {
    const seen = await look();
    const pauseMs = seen.retryAfterMs ?? waitMs;
    if (isDone(seen) || clock.monotonicMs() + pauseMs > untilMs) return seen;
    await clock.sleep(pauseMs, signal);
  }
}

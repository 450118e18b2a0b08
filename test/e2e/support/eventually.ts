import { setImmediate, setTimeout as sleep } from 'node:timers/promises';

/** How long a test watches that nothing happens: an unwanted write or signature comes within milliseconds. */
export const QUIET_MS = 1_000;
/** How long a test waits for what comes sooner or later: it only ends a wait for what never comes. */
export const PATIENCE_MS = 60_000;

/**
 * Asks until the answer is neither undefined nor false, and gives it back. Throws with what it waited for when that never
 * comes, and whatever `ask` throws. How soon it comes is for the moments of what makes it come to tell: see moments.ts.
 */
export async function eventually<T>(
  what: string,
  ask: () => Promise<T | undefined | false> | T | undefined | false,
  withinMs = PATIENCE_MS,
): Promise<T> {
  const deadline = performance.now() + withinMs;
  for (;;) {
    const answer = await ask();
    if (answer !== undefined && answer !== false) {
      // What a controller had logged before the answer may be waiting to be read.
      await setImmediate();
      return answer;
    }
    if (performance.now() > deadline) throw new Error(`still not so after ${withinMs} ms: ${what}`);
    await sleep(25);
  }
}

import { setImmediate, setTimeout as sleep } from 'node:timers/promises';

/** How long a test watches that nothing happens: an unwanted write or signature comes within milliseconds. */
export const QUIET_MS = 1_000;
/** How long a test waits at most. It is no promise about speed: it only ends a wait that would never end. */
export const PATIENCE_MS = 60_000;

/**
 * Calls `ask` every `pauseMs` until the answer is neither undefined nor false, and returns it. Throws with `what` after
 * `withinMs`, and any error of `ask`. A test of speed compares the timestamps of objects and log lines instead: see
 * moments.ts.
 */
export async function eventually<T>(
  what: string,
  ask: () => Promise<T | undefined | false> | T | undefined | false,
  withinMs = PATIENCE_MS,
  pauseMs = 25,
): Promise<T> {
  const deadline = performance.now() + withinMs;
  for (;;) {
    const answer = await ask();
    if (answer !== undefined && answer !== false) {
      // Log lines that the controller wrote before the answer may still be unread.
      await setImmediate();
      return answer;
    }
    if (performance.now() > deadline) throw new Error(`still not so after ${withinMs} ms: ${what}`);
    await sleep(pauseMs);
  }
}

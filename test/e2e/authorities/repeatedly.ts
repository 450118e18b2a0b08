import { setTimeout as sleep } from 'node:timers/promises';

/** Does something again and again until it is stopped; the answer stops it, and waits for the last time to end. */
export function repeatedly(pauseMs: number, work: () => Promise<unknown>): () => Promise<void> {
  let stopped = false;
  const working = (async () => {
    while (!stopped) {
      // What it looks at may be gone, or the API server: the next time will tell.
      await work().catch(() => {});
      await sleep(pauseMs);
    }
  })();
  return () => {
    stopped = true;
    return working;
  };
}

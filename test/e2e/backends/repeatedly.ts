import { setTimeout as sleep } from 'node:timers/promises';
import { onStop } from '../../teardown.ts';

/** Does something again and again, until the end of the test file; the answer ends it earlier, after its last time. */
export function repeatedly(pauseMs: number, work: () => Promise<unknown>): () => Promise<void> {
  let stopped = false;
  const working = (async () => {
    while (!stopped) {
      // What it looks at may be gone, or the API server: the next time will tell.
      await work().catch(() => {});
      await sleep(pauseMs);
    }
  })();
  return onStop(() => {
    stopped = true;
    return working;
  });
}

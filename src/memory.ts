import { performance } from 'node:perf_hooks';
import { getHeapStatistics } from 'node:v8';
import type { Clock } from './clock.ts';

/** How often memory is measured. */
const INTERVAL_MS = 5_000;
/** Above this share of time at work a pause would be felt. */
const QUIET = 0.1;
/** A heap that has grown by less since the last time, in bytes and as a part of it, isn't worth a pause. */
const WORTHWHILE_BYTES = 16_000_000;
const WORTHWHILE_PART = 0.25;

/** What a decision is made from: the share of the last interval spent at work, and the size of the heap. */
export interface MemoryUse {
  readonly utilization: number;
  readonly heapBytes: number;
  /** What the heap took right after it was last collected; 0 before. */
  readonly collectedBytes: number;
}

/** Whether to collect garbage now. */
export function isTimeToCollect({ utilization, heapBytes, collectedBytes }: MemoryUse): boolean {
  return (
    utilization < QUIET && heapBytes - collectedBytes >= Math.max(WORTHWHILE_BYTES, WORTHWHILE_PART * collectedBytes)
  );
}

/**
 * Gives back what a start or a storm of renewals has left behind, once it is quiet: V8 collects only as it allocates, so
 * a process that has nothing more to do would keep hundreds of megabytes of garbage for ever. The pause is about 3 ms
 * for each megabyte that is in use. Does nothing unless Node was started with --expose-gc.
 */
export async function releaseMemoryWhenQuiet(clock: Clock, signal: AbortSignal): Promise<void> {
  const collect = globalThis.gc;
  if (collect === undefined) return;
  let collectedBytes = 0;
  let before = performance.eventLoopUtilization();
  while (!signal.aborted) {
    // The abort ends the loop; that it rejects is of no interest.
    await clock.sleep(INTERVAL_MS, signal).catch(() => {});
    const now = performance.eventLoopUtilization();
    const { utilization } = performance.eventLoopUtilization(now, before);
    before = now;
    const heapBytes = getHeapStatistics().total_heap_size;
    if (signal.aborted || !isTimeToCollect({ utilization, heapBytes, collectedBytes })) continue;
    // Of the kinds of collection this is the one that returns empty pages to the system.
    collect({ type: 'major', execution: 'sync', flavor: 'last-resort' });
    collectedBytes = getHeapStatistics().total_heap_size;
  }
}

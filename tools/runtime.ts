/**
 * How Node is started, in the image as in the bench. Measured with 10,000 certificates (docs/performance.md): without
 * these the process keeps three times the memory.
 */

export const NODE_FLAGS: readonly string[] = [
  // Young objects are few while it is quiet; the default lets 50 MB of them wait for the next collection.
  '--max-semi-space-size=4',
  // For src/memory.ts.
  '--expose-gc',
];

/** For glibc's malloc: large buffers are returned to the system when they are freed, small ones leave fewer holes. */
export const ENVIRONMENT: Readonly<Record<string, string>> = {
  MALLOC_ARENA_MAX: '2',
  MALLOC_MMAP_THRESHOLD_: '65536',
};

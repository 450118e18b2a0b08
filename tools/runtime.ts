/** How Node is to be started for the controller; the bench does so. See docs/performance.md. */

export const NODE_FLAGS: readonly string[] = [
  // Young objects are few while it is quiet; the default lets more of them wait for the next collection.
  '--max-semi-space-size=4',
  // For src/memory.ts.
  '--expose-gc',
];

/** For glibc's malloc: large buffers are returned to the system when they are freed, small ones leave fewer holes. */
export const ENVIRONMENT: Readonly<Record<string, string>> = {
  MALLOC_ARENA_MAX: '2',
  MALLOC_MMAP_THRESHOLD_: '65536',
};

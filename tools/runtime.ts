/** How Node is to be started for the controller; the bench does so. See docs/performance.md. */

export const NODE_FLAGS: readonly string[] = [
  // Young objects are few while it is quiet; the default lets more of them wait for the next collection.
  '--max-semi-space-size=4',
  // Of the memory that the Pod may have; without it V8 lets garbage grow to 256 MB, and the kernel ends the process.
  '--max-old-space-size-percentage=55',
  // For src/memory.ts.
  '--expose-gc',
];

/**
 * For glibc's malloc: large buffers are returned to the system when they are freed, small ones leave fewer holes. For
 * libuv: as many threads as src/threads.ts has work for; of four there would be one for RSA keys.
 */
export const ENVIRONMENT: Readonly<Record<string, string>> = {
  MALLOC_ARENA_MAX: '2',
  MALLOC_MMAP_THRESHOLD_: '8192',
  UV_THREADPOOL_SIZE: '6',
};

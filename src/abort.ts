/**
 * Runs `work` under a signal that aborts with `parent` or after `ms`, whichever is first, and leaves nothing on `parent`
 * when the work has ended. `AbortSignal.any` keeps an entry for each use for as long as its sources live, and the signal
 * of a controller lives as long as the process.
 */
export async function within<T>(
  ms: number,
  parent: AbortSignal,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const scope = new AbortController();
  const abort = () => scope.abort(parent.reason);
  parent.addEventListener('abort', abort, { once: true });
  if (parent.aborted) abort();
  const timer = setTimeout(() => scope.abort(new DOMException(`not done within ${ms} ms`, 'TimeoutError')), ms);
  try {
    return await work(scope.signal);
  } finally {
    clearTimeout(timer);
    parent.removeEventListener('abort', abort);
  }
}

/** Begins at once and is waited for later, so that the waits of several tests overlap; a failure is for whoever asks. */
export function startEarly<T>(work: () => Promise<T>): () => Promise<T> {
  const result = work();
  result.catch(() => {});
  return () => result;
}

/**
 * What the tests of a file share, started by the first that asks for it. Not in `test.before`: uvu passes over an error
 * there and calls the file green, whereas this way each test fails with it.
 */
export function lazily<T extends { stop(): Promise<void> }>(start: () => Promise<T>) {
  let started: Promise<T> | undefined;
  return {
    get(): Promise<T> {
      started ??= start();
      return started;
    },
    async stop(): Promise<void> {
      await started?.then(
        (value) => value.stop(),
        () => undefined,
      );
    },
  };
}

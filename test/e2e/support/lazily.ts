import { onStop, stopAll } from '../../teardown.ts';

/** Without `stop` everything in it has registered by itself how it ends. */
interface Started {
  stop?(): unknown;
}

/**
 * What the tests of a file share, started by the first that asks for it: `test.after(shared.stop)` ends it, and whatever
 * else the file has started. Not in `test.before`: uvu passes over an error there and calls the file green, whereas this
 * way each test fails with it.
 */
export function lazily<T extends object>(start: () => Promise<T>) {
  let started: Promise<T> | undefined;
  return {
    get(): Promise<T> {
      if (started !== undefined) return started;
      const { promise, resolve } = Promise.withResolvers<T>();
      started = promise;
      // Registered before it starts, so that what it registers in turn ends before it.
      onStop(async () => {
        const value: Started | undefined = await promise.catch(() => undefined);
        await value?.stop?.();
      });
      resolve(start());
      return promise;
    },
    stop: stopAll,
  };
}

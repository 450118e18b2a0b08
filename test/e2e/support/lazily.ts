import { onStop, stopAll } from '../../teardown.ts';

/** Without `stop`, each part must have registered its own end with `onStop`. */
interface Started {
  stop?(): unknown;
}

/**
 * What the tests of a file share, started by the first test that needs it. `test.after(shared.stop)` ends it, with everything
 * else that the file has started. Not in `test.before`: uvu ignores an error there and passes the file, whereas this way
 * each test fails with it.
 */
export function lazily<T extends object>(start: () => Promise<T>) {
  let started: Promise<T> | undefined;
  return {
    get(): Promise<T> {
      if (started !== undefined) return started;
      const { promise, resolve } = Promise.withResolvers<T>();
      started = promise;
      // Registered before it starts, so that its parts, which register later, end before it.
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

type Stop = () => unknown;

/** A test file is a process of its own, so this is what that file has started. */
const started: Stop[] = [];

/**
 * Notes how to stop what has just been started, whatever becomes of the test. May be called although it was stopped
 * already: stopping twice does nothing.
 */
export function stopAtEnd(stop: Stop): void {
  started.push(stop);
}

/** Stops everything, the last first: `test.after(stopAll)`. A world does it by itself when it stops. */
export async function stopAll(): Promise<void> {
  for (let stop = started.pop(); stop !== undefined; stop = started.pop()) {
    try {
      await stop();
    } catch (error) {
      // One that can't be stopped must not keep the others.
      console.error('at the end of the tests:', error);
    }
  }
}

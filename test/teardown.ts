/**
 * What the tests of a file have started, and how each of it ends. Whatever would keep the process alive is registered
 * as soon as it is started: a failed assertion skips the rest of its test, and with it any stop that stands there.
 */
type Stop = () => Promise<unknown>;

/** One list is enough, since each test file has a process of its own. */
const running: Stop[] = [];
let isOver = false;

/**
 * Registers how something ends. The answer ends it, once however often it is called: for a test that ends it earlier, or
 * that asks how it ended.
 */
export function onStop<T>(stop: () => T | Promise<T>): () => Promise<T> {
  let ended: Promise<T> | undefined;
  const stopOnce = () => {
    ended ??= (async () => stop())();
    return ended;
  };
  // Work that a test had begun may start something after the last test.
  if (isOver) void stopOnce();
  else running.push(stopOnce);
  return stopOnce;
}

/**
 * Ends everything, the last first: `test.after(stopAll)`. Does not throw, since uvu would print no result of any test
 * then; the process fails all the same.
 */
export async function stopAll(): Promise<void> {
  isOver = true;
  for (let stop = running.pop(); stop !== undefined; stop = running.pop()) await stop().catch(failAtExit);
}

function failAtExit(error: unknown): void {
  console.error('could not be stopped after the tests:', error);
  process.once('exit', () => {
    process.exitCode ||= 1;
  });
}

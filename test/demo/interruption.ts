/** npm passes on the signal that Ctrl-C has sent to all of us anyway, so it comes twice. */
const ECHO_MS = 500;

/** Resolves on the first signal to end. A second one ends us at once, and the watchdogs clear up. */
export function interruption(): Promise<undefined> {
  const { promise, resolve } = Promise.withResolvers<undefined>();
  let firstAt: number | undefined;
  const end = () => {
    firstAt ??= performance.now();
    if (performance.now() - firstAt > ECHO_MS) process.exit(1);
    resolve(undefined);
  };
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, end);
  // Whoever read our output has gone, as `head` does.
  process.stdout.on('error', end);
  return promise;
}

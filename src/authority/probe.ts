import { readableTrust } from '../backends/shared/readable-trust.ts';
import type { Run } from '../queue/controller.ts';
import { reportable, troubleOf } from '../trouble.ts';
import type { AuthorityDeps } from './deps.ts';
import type { Runtime } from './runtime.ts';

/** Asks what is to be trusted, which doesn't change because the authority is away. */
export async function probe(runtime: Runtime, deps: AuthorityDeps, run: Run): Promise<void> {
  const { signal, releaseWorker } = run;
  const { backend, breaker, definition } = runtime;
  const { remote } = definition.capabilities;
  // Whatever woke us, another machine that is in trouble is left alone until then.
  if (remote && breaker.probeInMs > 0) return;
  if (remote) await turnToProbe(runtime, deps, run);
  const found = breaker.probe();
  const ask = async () => {
    const stated = await backend.trust(signal);
    // Of an own CA, each pair was tried by all rules before it became a generation.
    const { trust, leftAside } = remote ? readableTrust(stated) : { trust: stated, leftAside: [] };
    runtime.trusted = trust;
    runtime.untrusted = leftAside;
    await backend.check(signal);
  };
  try {
    // It may take half a minute, and an owner of many such authorities would delay all others.
    await (remote ? releaseWorker(ask) : ask());
    found(undefined);
  } catch (thrown) {
    // An abort of our own says nothing about the authority.
    if (signal.aborted) throw thrown;
    const error = reportable(thrown, deps.log);
    found(troubleOf(error), error.retryAfterMs);
  }
}

/** Others may provoke a probe by each change of what the authority refers to. */
async function turnToProbe({ resource }: Runtime, { clock, registry }: AuthorityDeps, run: Run): Promise<void> {
  const { probes } = registry.paceOf(resource);
  for (let waitMs = probes.take(clock.monotonicMs()); waitMs > 0; waitMs = probes.take(clock.monotonicMs()))
    await run.releaseWorker(() => clock.sleep(waitMs, run.signal));
}

import { controllerManagerArguments, type PairFiles } from './flags.ts';
import type { Guard, GuardedProcess } from './guard.ts';
import type { Layout } from './layout.ts';
import { LogPart, waitUntilReady } from './ready.ts';

/** Some controllers keep no cache and announce nothing: this long after its start a manager that lives counts as ready. */
const longEnoughMs = 5000;
const settleMs = 200;

export async function startManager(
  guard: Guard,
  program: string,
  layout: Layout,
  controllers: readonly string[],
  signing?: PairFiles,
): Promise<GuardedProcess> {
  const log = new LogPart(layout.log('kube-controller-manager'));
  const args = controllerManagerArguments(layout, controllers, signing);
  const manager = guard.run('kube-controller-manager', program, args, { folder: layout.folder, logPath: log.path });
  const started = performance.now();
  let filledSince: number | undefined;
  await waitUntilReady(manager, log, async () => {
    const now = performance.now();
    filledSince = cachesAreFilled(log.read()) ? (filledSince ?? now) : undefined;
    // Controllers start one after the other, so that all that wait may have got their caches before the next one asks.
    const settled = filledSince !== undefined && now - filledSince >= settleMs;
    return manager.ending() === undefined && (settled || now - started >= longEnoughMs);
  });
  return manager;
}

/** It serves no health endpoint without a port, and with one that would not tell whether the controllers work yet. */
function cachesAreFilled(log: string): boolean {
  const waiting = log.split('"Waiting for caches to sync"').length;
  const filled = log.split('"Caches are synced"').length;
  return waiting > 1 && filled >= waiting;
}

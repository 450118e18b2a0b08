import { isView, recordOfView, type SecretKept } from '../certificate/secret/record.ts';
import type { Clock } from '../clock.ts';
import type { Cache } from '../kube/cache/cache.ts';

/** Proofs in one turn of the event loop, and the pause that follows them. */
const VIEWS_AT_ONCE = 20;
const PAUSE_MS = 5;

/**
 * Keeps of Secrets in other namespaces what a CA rotation has to know, and no more. A view may have to be proven first, so a few are
 * dropped at a time. A namespace that comes back has its Secrets read one by one. Rejects when the signal aborts.
 */
export async function dropViews(
  secrets: Pick<Cache<SecretKept>, 'keys' | 'get' | 'revise'>,
  keepsViews: (namespace: string) => boolean,
  clock: Pick<Clock, 'sleep'>,
  signal: AbortSignal,
): Promise<void> {
  let dropped = 0;
  for (const key of [...secrets.keys()]) {
    const kept = secrets.get(key);
    if (!isView(kept) || keepsViews(kept.namespace)) continue;
    secrets.revise(key, kept.resourceVersion, recordOfView(kept));
    if (++dropped % VIEWS_AT_ONCE === 0) await clock.sleep(PAUSE_MS, signal);
  }
}

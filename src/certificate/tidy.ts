import { classify } from '../errors.ts';
import type { Run } from '../queue/controller.ts';
import type { NextKey } from './next-key.ts';
import type { Decision, Observed } from './observed.ts';
import { endRequest, type RequestDeps } from './request.ts';

export interface TidyDeps extends RequestDeps {
  /** From the cache: a request of a ClientCertificate of that key, which may be gone. */
  nextKey(key: string): NextKey | undefined;
  /** Past the cache: whether there is no ClientCertificate of that name. */
  isGone(namespace: string, name: string): Promise<boolean>;
}

/** How soon it is tried again to remove what a request has left behind. */
const TIDY_AGAIN_MS = 30_000;

/** Whether nobody waits for the answer to a request any more, once what was decided is done. */
export function isOver({ resource }: Observed, decision: Decision): boolean {
  switch (decision.do) {
    case 'issue':
      return true;
    case 'settle':
      // Hands off means from what was asked for, too.
      return !resource.spec.suspended;
    case 'refuse':
      // What was denied is remembered there.
      return decision.code !== 'RequestDenied';
    default:
      return false;
  }
}

/** Removes what a request has left; answers when to try again, where that failed. It's nothing that people wait for. */
export async function tidy(
  next: NextKey | undefined,
  deps: TidyDeps,
  { signal, outside }: Run,
): Promise<Date | undefined> {
  if (next === undefined) return undefined;
  try {
    await outside(() => endRequest(next, deps, signal));
    return undefined;
  } catch (thrown) {
    const { namespace, certificateName: name } = next;
    deps.log.warn('a request could not be tidied up', { namespace, name, error: classify(thrown).message });
    return new Date(deps.clock.now().getTime() + TIDY_AGAIN_MS);
  }
}

/** The same where the ClientCertificate is no more; a cache that is behind must not cost anybody a request. */
export async function tidyAfterGone(next: NextKey | undefined, deps: TidyDeps, run: Run): Promise<Date | undefined> {
  const isGone = next !== undefined && (await deps.isGone(next.namespace, next.certificateName));
  return isGone ? tidy(next, deps, run) : undefined;
}

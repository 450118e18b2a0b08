import { earliest } from '../../api/moments.ts';
import { keyOf } from '../../api/parse.ts';
import { classify, type ErrorCode } from '../../errors.ts';
import type { Run } from '../../queue/controller.ts';
import type { Decision, Observed } from '../observed.ts';
import type { RequestDeps } from './deps.ts';
import type { NextKey } from './next-key.ts';
import { endRequest, forgetDenied, forgetOrLeave } from './remove.ts';

export interface TidyDeps extends RequestDeps {
  /** From the cache: a request of a ClientCertificate of that key, which may be gone. */
  nextKey(key: string): NextKey | undefined;
  /** Past the cache: whether there is no ClientCertificate of that name. */
  isGone(namespace: string, name: string): Promise<boolean>;
}

/** How soon it is tried again to remove what a request has left behind. */
const TIDY_AGAIN_MS = 30_000;

/**
 * The authority is known not to permit the request now, though that may change. An approver who follows the request would
 * have it signed all the same, and a user who may read Secrets of the namespace has the key.
 */
const WITHDRAWN: readonly ErrorCode[] = ['NamespaceNotAllowed', 'ApprovalPending', 'TooManyCertificates'];

/** Whether the answer to a request is no longer needed, once what was decided is done. */
export function isOver(seen: Observed, decision: Decision): boolean {
  switch (decision.do) {
    case 'issue':
      return true;
    case 'settle':
      // Hands off means from what was asked for, too.
      return !seen.resource.spec.suspended;
    case 'refuse':
      // What was denied is remembered there.
      return decision.code !== 'RequestDenied';
    case 'wait':
      return (decision.code === 'NewCSRNeeded' && isForFormer(seen)) || WITHDRAWN.includes(decision.code);
    default:
      return false;
  }
}

/** Whether a request is under way over a key that the client has withdrawn, while the present one has its certificate. */
function isForFormer({ next, wanted }: Observed): boolean {
  return next !== undefined && wanted !== undefined && next.wanted !== wanted;
}

/**
 * A request that is over, once what was decided is done; also one whose Secret is gone. That of an earlier ClientCertificate
 * of this name always is: where the new one was created at once, the cache never said that the former was gone.
 */
export function leftOver(
  seen: Observed,
  decision: Decision,
  { nextKey, awaited }: Pick<TidyDeps, 'nextKey' | 'awaited'>,
): NextKey | undefined {
  const { resource } = seen;
  const next = nextKey(keyOf(resource)) ?? awaited.under(keyOf(resource));
  return next?.certificateUid !== resource.uid || isOver(seen, decision) ? next : undefined;
}

/**
 * Removes what requests of a certificate have left: `next`, and what could not be removed before. Answers when to try
 * again, where that failed. It's nothing that people wait for.
 */
export async function tidy(
  certificate: string,
  next: NextKey | undefined,
  deps: TidyDeps,
  run: Run,
): Promise<Date | undefined> {
  const { clock, awaited } = deps;
  const kept = deps.nextKey(certificate);
  // The process that was denied may have ended before it could remove what it had made.
  if (next === undefined && kept?.denied !== undefined && !awaited.isForgottenDenial(kept))
    await run.releaseWorker(() => forgetDenied(kept, deps, run.signal));
  for (const abandoned of awaited.left.due(certificate, clock.monotonicMs()))
    await run.releaseWorker(() => forgetOrLeave(abandoned, deps, run.signal));
  const inMs = awaited.left.nextInMs(certificate, clock.monotonicMs());
  const leftAt = inMs === undefined ? undefined : new Date(clock.now().getTime() + inMs);
  return earliest([leftAt, next && (await end(next, deps, run))]);
}

async function end(next: NextKey, deps: TidyDeps, { signal, releaseWorker }: Run): Promise<Date | undefined> {
  try {
    await releaseWorker(() => endRequest(next, deps, signal));
    return undefined;
  } catch (thrown) {
    const { namespace, certificateName: name } = next;
    deps.log.warn('a request could not be tidied up', { namespace, name, error: classify(thrown).message });
    return new Date(deps.clock.now().getTime() + TIDY_AGAIN_MS);
  }
}

/** The same where the ClientCertificate is no more; a cache that is behind must not cost a request. */
export async function tidyAfterGone(
  certificate: string,
  next: NextKey | undefined,
  deps: TidyDeps,
  run: Run,
): Promise<Date | undefined> {
  const isGone = next !== undefined && (await deps.isGone(next.namespace, next.certificateName));
  return tidy(certificate, isGone ? next : undefined, deps, run);
}

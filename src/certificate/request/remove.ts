import { classify } from '../../errors.ts';
import type { RequestDeps } from './deps.ts';
import type { NextKey } from './next-key.ts';
import { certificateKey } from './pending-requests.ts';

/** The request is over: whatever was made for it goes, its key last, since that is how it is found again. */
export async function endRequest(next: NextKey, deps: RequestDeps, signal: AbortSignal): Promise<void> {
  deps.awaited.drop(certificateKey(next));
  deps.ownership.assert(certificateKey(next));
  await forget(next, deps, signal);
  deps.ownership.assert(certificateKey(next));
  await deps.nextKeys.delete(next);
}

/** The same where another request is to follow, which must not wait until the authority of this one answers. */
export async function abandonRequest(next: NextKey, deps: RequestDeps, signal: AbortSignal): Promise<void> {
  deps.awaited.drop(certificateKey(next));
  await forgetOrLeave(next, deps, signal);
  deps.ownership.assert(certificateKey(next));
  await deps.nextKeys.delete(next);
}

/** Removes what was made for a request at its authority; where that fails, `tidy` tries it again later. */
export async function forgetOrLeave(next: NextKey, deps: RequestDeps, signal: AbortSignal): Promise<void> {
  const { awaited, clock, log } = deps;
  const certificate = certificateKey(next);
  deps.ownership.assert(certificate);
  try {
    await forget(next, deps, signal, true);
    awaited.left.done(certificate, next);
  } catch (error) {
    const isTriedAgain = awaited.left.failed(certificate, next, clock.monotonicMs(), clock.random());
    const { namespace, certificateName: name, authority, id: request } = next;
    const about = { namespace, name, authority, request, error: classify(error).message };
    log.warn(`a request that is over could not be removed${isTriedAgain ? '' : '; it stays'}`, about);
  }
}

/** The same of a request that was denied: its Secret stays, and says so. */
export async function forgetDenied(next: NextKey, deps: RequestDeps, signal: AbortSignal): Promise<void> {
  await forgetOrLeave(next, deps, signal);
  deps.awaited.noteForgottenDenial(next);
}

async function forget(next: NextKey, deps: RequestDeps, signal: AbortSignal, isAbandoned = false): Promise<void> {
  const { id, ticket, namespace, certificateName, certificateUid } = next;
  const requester = { namespace, name: certificateName, uid: certificateUid };
  await deps
    .askedBy(next)
    ?.forget?.({ id, ticket: ticket ?? id, requester, ...(isAbandoned && { isAbandoned }) }, signal);
}

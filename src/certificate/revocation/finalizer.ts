import type { Observed } from '../observed.ts';
import { ownCertificates } from './own-certificates.ts';

/**
 * So long a ClientCertificate that is being deleted waits for its revocations to be noted down, while the controller runs. A
 * namespace that ends waits for it too.
 */
export const LONGEST_HOLD_MS = 45_000;

export type FinalizerStep =
  | { readonly do: 'set' }
  /** `unrevoked` are the certificates that nobody revokes. */
  | { readonly do: 'remove'; readonly unrevoked: readonly string[] }
  /** It is kept until then at most. */
  | { readonly do: 'hold'; readonly until: Date };

/**
 * What is to be done about the finalizer of a ClientCertificate; undefined for nothing. `noticedAt` is when this process saw first
 * that it is being deleted.
 */
export function finalizerStep(seen: Observed, now: Date, noticedAt: Date = now): FinalizerStep | undefined {
  const { resource, authority, revocation, revocations } = seen;
  const { revocationHold, deleting } = resource;
  const isHeld = revocationHold !== undefined;
  const revokesDeleted = revocation?.policy.revokesDeleted === true && revocation.unable === undefined;
  if (deleting === undefined) {
    if (revokesDeleted === isHeld) return undefined;
    // An authority that is away for a moment must not cost two writes for each certificate.
    return revokesDeleted ? { do: 'set' } : revocation === undefined ? undefined : { do: 'remove', unrevoked: [] };
  }
  if (!isHeld) return undefined;
  const own = ownCertificates(seen).filter(({ notAfter }) => notAfter > now);
  const open = own
    .filter(({ sealedFor, serialNumber }) => {
      const view = revocations?.(sealedFor);
      return (
        view?.policy.revokesDeleted === true && view.unable === undefined && view.stateOf(serialNumber) === undefined
      );
    })
    .map(({ serialNumber }) => serialNumber);
  const isSettled = open.length === 0 && authority !== 'AuthorityNotSeen';
  // A clock that was set back must not hold it for longer.
  const since = Math.min(noticedAt.getTime(), now.getTime());
  const until = new Date(since + LONGEST_HOLD_MS);
  if (isSettled || until <= now) return { do: 'remove', unrevoked: open };
  return { do: 'hold', until };
}

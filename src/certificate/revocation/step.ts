import type { BrokenClientCertificate, ClientCertificate } from '../../api/client-certificate.ts';
import { keyOf } from '../../api/parse.ts';
import type { Clock } from '../../clock.ts';
import { classify } from '../../errors.ts';
import type { Logger } from '../../log.ts';
import type { Ownership } from '../../ownership.ts';
import type { Decision, Observed } from '../observed.ts';
import type { EventText } from '../status/events.ts';
import { finalizerStep } from './finalizer.ts';
import { type Wish, wishesOf } from './wishes.ts';

export interface RevocationDeps {
  readonly clock: Clock;
  readonly log: Logger;
  readonly ownership: Ownership;
  /** Has the authority revoke these; harmless where it was asked before. Nothing is awaited. */
  revoke(resource: ClientCertificate, wishes: readonly Wish[]): void;
  /** Sets the finalizer of a ClientCertificate that has none, or removes it. */
  hold(resource: ClientCertificate | BrokenClientCertificate, isHeld: boolean): Promise<void>;
  /** Since when ClientCertificates are known to be deleted, by key. */
  readonly deletions: Map<string, Noticed>;
  recordEvent(resource: ClientCertificate, event: EventText): void;
}

/** When this process saw first that a ClientCertificate is being deleted. */
interface Noticed {
  readonly uid: string;
  readonly at: Date;
}

const TRY_AGAIN_MS = 60_000;

/** Asks to revoke what is due. Answers when more will be. */
export function askToRevoke(
  seen: Observed,
  decision: Decision,
  { clock, revoke }: Pick<RevocationDeps, 'clock' | 'revoke'>,
): Date | undefined {
  const { due, recheckAt } = wishesOf(seen, decision, clock.now());
  if (due.length > 0) revoke(seen.resource, due);
  return recheckAt;
}

/** Sets or removes the finalizer. Answers `written` where the ClientCertificate is another by that. */
export async function stepFinalizer(seen: Observed, deps: RevocationDeps): Promise<Date | 'written' | undefined> {
  const { resource } = seen;
  const now = deps.clock.now();
  const step = finalizerStep(seen, now, noticedAt(resource, deps.deletions, now));
  if (step === undefined) return undefined;
  if (step.do === 'hold') return step.until;
  if (step.do === 'remove' && step.unrevoked.length > 0) {
    const note = `not revoked, since the authority could not note it down in time: ${step.unrevoked.join(', ')}; name them in spec.revocation.serials of the authority`;
    deps.log.warn('certificates of a deleted ClientCertificate are not revoked', {
      namespace: resource.namespace,
      name: resource.name,
      serials: step.unrevoked,
    });
    deps.recordEvent(resource, { type: 'Warning', reason: 'NotRevoked', action: 'Revoke', note });
  }
  deps.ownership.assert(keyOf(resource));
  try {
    await deps.hold(resource, step.do === 'set');
    return 'written';
  } catch (thrown) {
    const { code, message } = classify(thrown);
    if (step.do === 'remove' || code === 'Conflict') throw thrown;
    // A certificate must not expire for that.
    deps.log.warn('the finalizer of a ClientCertificate could not be set, so its deletion may go unnoticed', {
      namespace: resource.namespace,
      name: resource.name,
      code,
      error: message,
    });
    return new Date(deps.clock.now().getTime() + TRY_AGAIN_MS);
  }
}

function noticedAt(
  { namespace, name, uid, deleting, revocationHold }: ClientCertificate,
  deletions: RevocationDeps['deletions'],
  now: Date,
): Date {
  if (deleting === undefined || revocationHold === undefined) return now;
  const key = keyOf({ namespace, name });
  const known = deletions.get(key);
  // A moment in the future is that of a clock that was set back since.
  const at = known?.uid === uid && known.at < now ? known.at : now;
  deletions.set(key, { uid, at });
  return at;
}

/** One that makes no sense under today's schema must not be held for ever. */
export async function releaseBroken(
  resource: BrokenClientCertificate,
  { hold, ownership }: Pick<RevocationDeps, 'hold' | 'ownership'>,
): Promise<boolean> {
  if (resource.deleting === undefined || resource.revocationHold === undefined) return false;
  ownership.assert(keyOf(resource));
  await hold(resource, false);
  return true;
}

import { earliest } from '../../api/moments.ts';
import { approvalEndOf } from '../../policy/permission.ts';
import { authorityName } from '../authority-view.ts';
import { contestEnds } from '../brakes.ts';
import type { Act, Decision, Observed } from '../observed.ts';
import { refusedByAuthority } from './authority-refusals.ts';
import * as clientKeys from './client-keys.ts';
import { fallbackTurn, withFallback } from './fallback.ts';
import * as flaws from './flaws.ts';
import * as needs from './needs.ts';
import * as obstacles from './obstacles.ts';
import * as refusals from './refusals.ts';
import { scheduleOf } from './schedule.ts';

type Check<Finding> = (seen: Observed, now: Date) => Finding | undefined;

/** Why nothing is done at all. The first that objects names the reason; so it is in each of these lists. */
const REFUSALS: readonly Check<refusals.Refusal>[] = [
  refusals.secretIsProtected, // a Secret with another purpose, or a name that Certwheel needs itself
  refusals.namesTakenSecret, // the older of two resources owns the Secret
  refusals.secretIsForeign, // a Secret that isn't ours is never touched, unless a person hands it over
  refusals.secretIsImmutable, // nothing of it can be changed, until somebody deletes it
  refusals.secretIsOfOtherType, // the type of a Secret can't be changed, so a person deletes it
  clientKeys.requestIsUnusable, // a client that keeps its key sends a request that can't be used
  refusals.identityCanNotBeWritten, // what X.509 has no form for
  refusals.storePasswordIsUnusable, // a certificate without its key stores is of no use to programs that read those
  refusals.templateExportsTheKey, // labels and annotations that make other programs copy the Secret
  refusedByAuthority, // which namespaces it serves, and what it may issue
];

/** Why a new certificate is needed, the most pressing first. */
const NEEDS: readonly Check<needs.Need>[] = [
  needs.secretIsMissing, // never issued, or deleted since
  needs.secretIsUnusable, // torn or tampered with
  needs.differsFromSpec, // identity, usages, key or duration have changed
  clientKeys.requestIsAnother, // the client has sent another key
  needs.comesFromElsewhere, // another authority, or a CA that it no longer has
  needs.isToBeRevoked, // the annotations that ask for it, and the register of the authority
  needs.renewalAsked, // the renew-at annotation
  needs.signedByFormerGeneration, // the CA has a successor, and its turn has come
  needs.isDue, // the routine
];

/** Why a certificate that is needed can't be had now. */
const OBSTACLES: readonly Check<obstacles.Obstacle>[] = [
  obstacles.isWithheld, // it was issued, by a CA that isn't shown to be trusted yet
  obstacles.authorityIsNotReady, // asked by one probe, not by every certificate
  obstacles.wasDenied, // until something else is asked for, or of another authority
  obstacles.isBackingOffAfterFailure, // the last try failed, and the next has its moment
  obstacles.isSlowed, // others provoke one issuance after the other
];

/** Why the fallback has to wait too. */
const FALLBACK_OBSTACLES: readonly Check<obstacles.Obstacle>[] = [
  obstacles.fallbackDenied, // until something else is asked for
  obstacles.fallbackIsBackingOff,
  obstacles.isSlowed,
];

/** Why the Secret must be written anew, though its certificate is good. */
const FLAWS: readonly Check<string>[] = [
  flaws.isStoredOtherwise, // an admission plugin changed what was written
  flaws.isNotMarked, // adopted, or its annotations were damaged
  flaws.trustHasChanged, // ca.crt, on the way to another CA
  flaws.chainIsAnother, // tls.crt, where another root certifies the same CA
  flaws.outputsAreOthers, // spec.privateKey.encoding, and what else decides about the data of the Secret
  flaws.differsFromTemplate, // spec.secretTemplate
  flaws.ownerReferenceIsWrong, // spec.deletionPolicy
];

/** Why such a write has to wait: what an authority did wrong is no reason. */
const PAUSES: readonly Check<obstacles.Backoff>[] = [
  obstacles.isBackingOffAfterFailedWrite, // the last write failed, and the next has its moment
  obstacles.isSlowed, // others provoke one write after the other
];

/** What is to be done about one ClientCertificate. Pure: no clock, no chance, no reads; the same answer until something changes. */
export function decide(seen: Observed, now: Date): Decision {
  // The garbage collector deletes the Secret with its owner; to issue would create it again.
  if (seen.resource.deleting !== undefined) return { do: 'settle', recheckAt: comingEnd(seen, now) };
  if (seen.resource.spec.suspended) return keepTrust(seen, now) ?? { do: 'settle', recheckAt: comingEnd(seen, now) };

  const refusal = firstObjection(REFUSALS, seen, now);
  if (refusal !== undefined) return keepTrust(seen, now) ?? refusal;

  const need = firstObjection(NEEDS, seen, now);
  // First, since neither the authority nor its fallback can make up for it.
  const keyIsMissing = need && clientKeys.newRequestIsNeeded(seen, need, now);
  const hindrance = keyIsMissing ?? (need && firstObjection(OBSTACLES, seen, now));
  if (need !== undefined && hindrance === undefined) return { do: 'issue', ...need };
  const mayFallBack = need !== undefined && hindrance !== undefined && keyIsMissing === undefined;
  const turn = mayFallBack ? byFallback(seen, need, hindrance, now) : undefined;
  if (turn?.do === 'issue') return turn;
  const obstacle = turn ?? hindrance;

  // A certificate that can't be renewed now must still learn of a new CA; only a write that failed has to rest.
  const flaw = seen.held && firstObjection(FLAWS, seen, now);
  const pause = flaw === undefined ? undefined : firstObjection(PAUSES, seen, now);
  if (flaw !== undefined && pause === undefined) return { do: 'repair', message: flaw };

  return pause ?? obstacle ?? { do: 'settle', recheckAt: nextMoment(seen, now) };
}

/** What comes of the fallback, where the authority can't be asked: the certificate, or one more reason to wait. */
function byFallback(
  seen: Observed,
  need: needs.Need,
  hindrance: obstacles.Obstacle,
  now: Date,
): Act | obstacles.Obstacle | undefined {
  if (obstacles.isWithheld(seen, now) !== undefined) return undefined;
  const turn = fallbackTurn(seen, now);
  const message = withFallback(hindrance.message, turn);
  switch (turn.is) {
    case 'none':
      return undefined;
    case 'later':
      return { ...hindrance, message, recheckAt: turn.at };
    case 'refused':
      return { ...hindrance, message, ...(turn.recheckAt && { recheckAt: turn.recheckAt }) };
    case 'now':
      return firstObjection(FALLBACK_OBSTACLES, seen, now) ?? { do: 'issue', ...need, byFallback: true };
  }
}

/**
 * Where nothing is issued, a Secret with a good certificate of this authority still learns of a new CA: its workload must
 * accept those of others, and one member must not keep the new CA from signing for all.
 */
function keepTrust(seen: Observed, now: Date): Decision | undefined {
  const { resource, rival, ours, held } = seen;
  if (ours === undefined || ours.isImmutable || rival !== undefined) return undefined;
  if (held === undefined || held.notAfter <= now) return undefined;
  if (ours.memory.authority !== authorityName(resource)) return undefined;
  const message = flaws.trustHasChanged(seen) ?? flaws.chainIsAnother(seen);
  return message === undefined ? undefined : (firstObjection(PAUSES, seen, now) ?? { do: 'repair', message });
}

/** When the certificate expires; a moment that has passed would be reconciled again at once, and so without end. */
function comingEnd({ held }: Observed, now: Date): Date | undefined {
  const end = held?.notAfter;
  return end !== undefined && end > now ? end : undefined;
}

/** The next moment at which the answer may be another without any event: due, asked for, no longer approved, or expired. */
function nextMoment(seen: Observed, now: Date): Date | undefined {
  const { held } = seen;
  if (held === undefined || seen.ours === undefined) return undefined;
  const moments = [held.notBefore, held.notAfter, seen.resource.renewAt];
  moments.push(contestEnds(seen.recent), approvalEndOf(seen.permission));
  if (!needs.endsWithItsCA(held, seen)) moments.push(scheduleOf(seen, held, now).due);
  return earliest(moments.filter((each) => each !== undefined && each > now));
}

function firstObjection<Finding>(checks: readonly Check<Finding>[], seen: Observed, now: Date): Finding | undefined {
  for (const each of checks) {
    const finding = each(seen, now);
    if (finding !== undefined) return finding;
  }
  return undefined;
}

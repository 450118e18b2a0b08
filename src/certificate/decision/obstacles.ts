import { lastFailureOf } from '../../api/client-certificate.ts';
import { namesFallback } from '../../errors.ts';
import { isAuthority } from '../authority-view.ts';
import { contestOf, slowedUntil } from '../brakes.ts';
import { atFallback } from '../fallback.ts';
import type { Decision, Observed } from '../observed.ts';
import type { Cause } from '../recent.ts';
import { longestRetryMs } from './schedule.ts';
import { withheldMessage, withheldUntil } from './withheld.ts';

/** Status is not believed beyond this: no pause of ours is longer than an hour with its jitter, and no Retry-After either. */
const LONGEST_REST_MS = 2 * 3_600_000;
/** What a write of the Secret can fail with, as status says it. */
const WRITE_FAILURES: readonly string[] = [
  'Forbidden',
  'SecretRefused',
  'SecretAltered',
  'SecretTooLarge',
  'SecretNotOwned',
  'Unexpected',
];

/** See backoffMs; and a little for the whole seconds of status. */
const LONGEST_JITTER = 1.25;

const A_CHANGE =
  'the spec, its certificate request or certwheel.io/renew-at changes faster than certificates are issued for one resource';

/** What comes too often, by what brought the last act about. */
const WHAT_CHANGES: Readonly<Record<Cause, string>> = {
  spec: `${A_CHANGE}; the last change counts`,
  calendar: `${A_CHANGE}; the last change counts`,
  writer: 'another writer changes or deletes the Secret',
  request:
    'requests for this certificate vanish before they are answered: something deletes the Secret NAME-next that keeps their key, or writes at the same moment; the audit log of the API server names the writer',
  trust:
    'the trust bundle of the authority, the template, the outputs or the password of the key stores changes faster than the Secret is written',
};

/** Why a certificate that is needed can't be had now. */
export type Obstacle = Extract<Decision, { do: 'wait' | 'refuse' }>;
export type Backoff = Extract<Decision, { do: 'wait' }>;

export function authorityIsNotReady({ authority, next, wanted }: Observed): Obstacle | undefined {
  if (!isAuthority(authority) || authority.trouble === undefined) return undefined;
  // What is withheld was issued already.
  if (next?.withheld !== undefined && next.wanted === wanted) return undefined;
  return wait('AuthorityNotReady', `${authority.trouble.code}: ${authority.trouble.message}`);
}

/** Another machine has signed it with a CA that isn't shown to be trusted, and what the Secret holds is good for now. */
export function isWithheld(seen: Observed, now: Date): Obstacle | undefined {
  const { next, wanted, authority, resource } = seen;
  if (next?.withheld === undefined || next.wanted !== wanted || !isAuthority(authority)) return undefined;
  const { anchor, leaf } = next.withheld;
  const until = withheldUntil(seen, authority, now);
  if (until === undefined || authority.usableAnchors?.has(anchor) === true) return undefined;
  // The machine has given that CA up, so another certificate is needed, and not in the last minute.
  if (authority.followedAnchors?.has(anchor) === false) return undefined;
  // What has expired is of no use either.
  if (leaf !== undefined && leaf.notAfter <= now) return undefined;
  const recheckAt = leaf !== undefined && leaf.notAfter < until ? leaf.notAfter : until;
  const message = withheldMessage(resource, authority.trust.anchors.get(anchor), anchor, recheckAt);
  return { do: 'wait', code: 'CertificateWithheld', message, recheckAt };
}

/** A denial is final until something changes; what an authority or an approver changes is no event here. */
export const DENIED_RETRY_MS = 3_600_000;

/** The request was denied a short while ago, and the next one would be the same. A renew-at since then is worth a try. */
export function wasDenied(seen: Observed, now: Date): Obstacle | undefined {
  const { next, resource, wanted } = seen;
  if (next?.denied === undefined || next.wanted !== wanted) return undefined;
  const { renewAt } = resource;
  if (renewAt !== undefined && isAfterSecondOf(next.denied.at, renewAt) && renewAt <= now) return undefined;
  const { message } = next.denied;
  // A person who has said no is not asked again each hour.
  if (isAuthority(seen.authority) && seen.authority.capabilities.denialIsFinal === true)
    return { do: 'refuse', code: 'RequestDenied', message, ...(renewAt && renewAt > now && { recheckAt: renewAt }) };
  const recheckAt = new Date(next.denied.at.getTime() + DENIED_RETRY_MS);
  // A moment in the future comes from a clock that was wrong, and so would the next one be.
  if (next.denied.at > now || recheckAt <= now) return undefined;
  return { do: 'refuse', code: 'RequestDenied', message, recheckAt };
}

/** The same at the fallback. The authority may issue it, so it is not refused but waited for. */
export function fallbackDenied(seen: Observed, now: Date): Obstacle | undefined {
  const { next } = seen;
  const acting = atFallback(seen);
  if (next?.denied === undefined || acting === seen) return undefined;
  const denial = wasDenied(acting, now);
  const { authority } = seen;
  if (denial === undefined || !isAuthority(authority)) return undefined;
  const message = `${authority.trouble?.code}: ${authority.trouble?.message}; the fallback ${acting.issuedBy} denied it: ${denial.message}`;
  return { do: 'wait', code: 'AuthorityNotReady', message, recheckAt: denial.recheckAt };
}

export function isBackingOffAfterFailure(seen: Observed, now: Date): Backoff | undefined {
  return backingOff(seen, now, false);
}

/** The same where the fallback is to be asked. */
export function fallbackIsBackingOff(seen: Observed, now: Date): Backoff | undefined {
  return backingOff(seen, now, true);
}

function backingOff(seen: Observed, now: Date, asksFallback: boolean): Backoff | undefined {
  const { resource } = seen;
  const failure = lastFailureOf(resource.status);
  // A new spec, or a person who asks for it, is worth a try at once.
  if (failure === undefined || resource.status.observedGeneration !== resource.generation) return undefined;
  if (resource.renewAt !== undefined && isAfterSecondOf(failure.at, resource.renewAt) && resource.renewAt <= now)
    return undefined;
  // What failed in the future did so before the clock was set back.
  if (failure.at > now) return undefined;
  const { reason = 'Unexpected', message = '' } = resource.status.lastFailure ?? {};
  // What was denied is the same question, whoever is asked.
  const isOfOther = namesFallback(message) !== asksFallback && reason !== 'RequestDenied';
  const longestMs = isOfOther || WRITE_FAILURES.includes(reason) ? longestOwnBackoffMs(seen, now) : LONGEST_REST_MS;
  const until = new Date(Math.min(failure.nextAttemptAt.getTime(), failure.at.getTime() + longestMs));
  if (until <= now) return undefined;
  return {
    do: 'wait',
    code: reason as Obstacle['code'],
    message,
    recheckAt: until,
  };
}

/** What wakes us from outside, be it another writer of the Secret or a spec that changes all the time, has no backoff of its own. */
export function isSlowed(seen: Observed, now: Date): Backoff | undefined {
  const recheckAt = slowedUntil(seen, now);
  if (recheckAt === undefined) return undefined;
  const contest = contestOf(seen, now);
  return contest === undefined
    ? { do: 'wait', code: 'TooManyChanges', message: WHAT_CHANGES[seen.recent?.cause ?? 'spec'], recheckAt }
    : { do: 'wait', code: 'SecretContested', message: contest, recheckAt };
}

/** The Secret itself couldn't be written; what an authority did wrong is no reason not to write. */
export function isBackingOffAfterFailedWrite(seen: Observed, now: Date): Backoff | undefined {
  const rest = isBackingOffAfterFailure(seen, now);
  return rest !== undefined && WRITE_FAILURES.includes(rest.code) ? rest : undefined;
}

/**
 * A pause that was fit while the certificate had long to live is too long once the Secret is lost. What an authority
 * asked for (Retry-After) is left alone, but it is no pause of its fallback, nor the other way round.
 */
function longestOwnBackoffMs({ resource, held }: Observed, now: Date): number {
  return longestRetryMs(held?.notAfter, resource.spec.durationMs, now) * LONGEST_JITTER;
}

/** The moment of a failure is kept in whole seconds, so a wish of the same second may have been part of the try. */
function isAfterSecondOf(failedAt: Date, wish: Date): boolean {
  return wish.getTime() >= failedAt.getTime() + 1_000;
}

function wait(code: Obstacle['code'], message: string): Obstacle {
  return { do: 'wait', code, message, recheckAt: undefined };
}

import type { ClientCertificate } from '../api/client-certificate.ts';
import { conditionsOf, lastFailureOf } from '../api/client-certificate.ts';
import { mergeConditions, type NewCondition, toRfc3339 } from '../api/conditions.ts';
import { formatDuration } from '../api/duration.ts';
import type { ClientCertificateStatus } from '../api/generated/types.ts';
import type { CertwheelError } from '../errors.ts';
import { scheduleOf } from './due.ts';
import { comesFromElsewhere, differsFromSpec, endsWithItsCA, momentOfCARotation } from './needs.ts';
import { type Decision, isAuthority, isOfEarlier, isOurs, type Observed } from './observed.ts';
import { contestOf } from './recent.ts';
import { withUnreadRenewAt } from './renew-at.ts';
import type { CertificateFacts } from './secret-view.ts';

/** The types of conditions that Certwheel writes. */
export const CERTIFICATE_CONDITIONS: readonly string[] = ['Ready', 'Issuing', 'Stalled'];

/** Why a certificate is Ready and yet will expire in the hands of a workload. */
export const LIFE_TOO_SHORT = 'LifeTooShort';

/** A granted life that differs by no more than this part of the one that was asked for is not worth a word. */
const WORTH_TELLING = 0.1;

/** Why a certificate is being issued, and nothing is wrong: its authority answers later. */
export const AWAITED = 'Pending';

/** Why issuance is slowed down: others provoke one after the other. */
export const SLOWED: readonly string[] = ['SecretContested', 'TooManyChanges'];

/** Ends the message of a certificate that is slowed down; it changes, so events leave it out. */
export const NEXT_ATTEMPT = '; next attempt at ';

/** An authority may answer with a whole page. */
const LONGEST_FAILURE_MESSAGE = 1_024;

/** What a try that failed adds to the picture. */
export interface Failure {
  readonly error: CertwheelError;
  readonly nextAttemptAt: Date | undefined;
}

/** How many tries in a row have failed, this one included; a success or a new spec begins at one again. */
export function attemptsSoFar({ status, generation }: ClientCertificate): number {
  return status.observedGeneration === generation ? (lastFailureOf(status)?.attempts ?? 0) : 0;
}

/**
 * What there is to say about a ClientCertificate. `seen` is the state after whatever was done, `decision` the decision
 * on it, `propagationMs` how long workloads may take to load a Secret that has changed, `pending` what an authority said
 * that answers later. Equal input gives an equal status, so that nothing is written when nothing has changed.
 */
export function nextStatus(
  seen: Observed,
  decision: Decision,
  failure: Failure | undefined,
  now: Date,
  propagationMs: number,
  pending?: { readonly message: string },
): ClientCertificateStatus {
  const { resource } = seen;
  const held = isOurs(seen) ? seen.secret?.certificate : undefined;
  const memory = held && seen.secret?.memory;
  const ready = readiness(seen, held, decision, failure, now, propagationMs, pending);
  const conditions: NewCondition[] = [withUnreadRenewAt(ready, resource), ...progress(decision, failure, pending)];
  const observed = conditions.map((condition) => ({ ...condition, observedGeneration: resource.generation }));
  return withoutUndefined({
    observedGeneration: resource.generation,
    conditions: mergeConditions(conditionsOf(resource.status), observed, CERTIFICATE_CONDITIONS, now),
    serialNumber: held?.serialNumber,
    fingerprintSHA256: held?.fingerprintSHA256,
    publicKeyPinSHA256: held?.publicKeyPinSHA256,
    notBefore: held && toRfc3339(held.notBefore),
    notAfter: timeText((held ?? leftBehind(seen))?.notAfter),
    renewalTime: timeText(held && renewalTime(seen, held, now)),
    // Kept when the Secret is gone, so that counting goes on where it was.
    revision: memory?.revision ?? resource.status.revision,
    authorityGeneration: memory?.authorityGeneration,
    ...failures(seen, decision, failure, now),
  });
}

function readiness(
  seen: Observed,
  held: CertificateFacts | undefined,
  decision: Decision,
  failure: Failure | undefined,
  now: Date,
  propagationMs: number,
  pending: { readonly message: string } | undefined,
): NewCondition {
  const trouble =
    failure === undefined
      ? 'code' in decision
        ? decision
        : undefined
      : { code: failure.error.code, message: messageOf(failure) };
  const idle = whyIdle(seen.resource);
  const mounted = held ?? leftBehind(seen);
  if (mounted !== undefined && mounted.notAfter <= now)
    return notReady(
      'Expired',
      [`the certificate expired at ${toRfc3339(mounted.notAfter)}`, idle?.message ?? trouble?.message]
        .filter((part) => part !== undefined)
        .join('; '),
    );
  if (held === undefined) {
    if (idle !== undefined) return notReady(idle.reason, idle.message);
    const problem = isOurs(seen) ? seen.secret?.problem : undefined;
    return notReady(trouble?.code ?? 'Pending', trouble?.message ?? pending?.message ?? problem ?? 'not issued yet');
  }
  if (held.notBefore > now) return notReady('NotYetValid', notYetValid(seen, held));
  const mismatch = differsFromSpec(seen) ?? comesFromElsewhere(seen);
  if (mismatch !== undefined) return notReady(trouble?.code ?? mismatch.reason, trouble?.message ?? mismatch.message);
  return { type: 'Ready', status: 'True', ...readyBecause(seen, held, now, propagationMs) };
}

/** What workloads go on using after a restore, when the Secret was written for an earlier resource of this name. */
function leftBehind(seen: Observed): CertificateFacts | undefined {
  return isOfEarlier(seen) && seen.protection === undefined ? seen.secret?.certificate : undefined;
}

/** A clock that was wrong when it was issued, or is wrong now: which of the two nobody here can tell. */
function notYetValid({ resource }: Observed, { notBefore }: CertificateFacts): string {
  const remedy = `kubectl annotate ccert -n ${resource.namespace} ${resource.name} --overwrite certwheel.io/renew-at=$(date -u +%FT%TZ)`;
  return `the certificate is not valid before ${toRfc3339(notBefore)}; if the clock is right now, renew it: ${remedy}`;
}

function readyBecause(
  seen: Observed,
  held: CertificateFacts,
  now: Date,
  propagationMs: number,
): Pick<NewCondition, 'reason' | 'message'> {
  const validity = `valid until ${toRfc3339(held.notAfter)}`;
  const idle = whyIdle(seen.resource);
  if (idle !== undefined) return { reason: idle.reason, message: `${validity}; ${idle.message}` };
  const contest = contestOf(seen, now);
  if (contest !== undefined) return { reason: 'SecretContested', message: `${validity}; ${contest}` };
  if (endsWithItsCA(held, seen.authority))
    return {
      reason: 'CAEndsFirst',
      message: `${validity}, when its CA ends too, so a renewal would gain nothing; replace the CA`,
    };
  const { renewBeforeIgnored, leftMs } = scheduleOf(seen, held, now);
  if (leftMs < propagationMs)
    return {
      reason: LIFE_TOO_SHORT,
      message: `${validity}; renewed only ${formatDuration(leftMs)} before it expires, and workloads may take ${formatDuration(propagationMs)} to load a new one: ask for a longer duration or renewBefore`,
    };
  if (renewBeforeIgnored)
    return {
      reason: 'RenewBeforeTooLong',
      message: `${validity}; renewBefore leaves less than a tenth of the granted life, so the default is used`,
    };
  const granted = grantedOtherwise(seen, held);
  if (granted !== undefined) return { reason: 'DurationDiffers', message: `${validity}; ${granted}` };
  return { reason: 'Issued', message: validity };
}

/** What an authority made of the life that was asked for, where that is another. */
function grantedOtherwise({ resource, secret }: Observed, { notAfter }: CertificateFacts): string | undefined {
  const issuedAt = secret?.memory.issuedAt;
  if (issuedAt === undefined) return undefined;
  const { durationMs } = resource.spec;
  const grantedMs = notAfter.getTime() - issuedAt.getTime();
  if (Math.abs(grantedMs - durationMs) <= durationMs * WORTH_TELLING) return undefined;
  return `the authority granted about ${formatDuration(wholeMinutes(grantedMs))} where ${formatDuration(durationMs)} were asked for`;
}

function wholeMinutes(ms: number): number {
  return Math.max(1, Math.round(ms / 60_000)) * 60_000;
}

function progress(
  decision: Decision,
  failure: Failure | undefined,
  pending: { readonly message: string } | undefined,
): NewCondition[] {
  if (pending !== undefined)
    return [
      { type: 'Issuing', status: 'True', reason: AWAITED, message: pending.message.slice(0, LONGEST_FAILURE_MESSAGE) },
    ];
  if (failure !== undefined)
    return [
      {
        type: 'Issuing',
        status: 'True',
        reason: 'Retrying',
        message: `${failure.error.code}: ${messageOf(failure)}`,
      },
    ];
  switch (decision.do) {
    case 'refuse':
      return [{ type: 'Stalled', status: 'True', reason: decision.code, message: decision.message }];
    case 'wait':
      if (SLOWED.includes(decision.code)) return [slowed(decision)];
      return [
        {
          type: 'Issuing',
          status: 'True',
          reason: decision.recheckAt === undefined ? decision.code : 'Retrying',
          message: decision.recheckAt === undefined ? decision.message : `${decision.code}: ${decision.message}`,
        },
      ];
    default:
      return [];
  }
}

function slowed({ code, message, recheckAt }: Extract<Decision, { do: 'wait' }>): NewCondition {
  const next = recheckAt === undefined ? '' : `${NEXT_ATTEMPT}${toRfc3339(recheckAt)}`;
  return { type: 'Issuing', status: 'True', reason: code, message: `${message}${next}` };
}

/** Why nothing is issued whatever the certificate needs. */
function whyIdle({ deleting, spec }: ClientCertificate): Pick<NewCondition, 'reason' | 'message'> | undefined {
  if (deleting !== undefined) {
    const holders = deleting.length === 0 ? '' : `, which waits for the finalizers ${deleting.join(', ')}`;
    return {
      reason: 'BeingDeleted',
      message: `nothing is issued while the ClientCertificate is being deleted${holders}`,
    };
  }
  return spec.suspended ? { reason: 'Suspended', message: 'nothing is issued while spec.suspend is true' } : undefined;
}

function failures(
  seen: Observed,
  decision: Decision,
  failure: Failure | undefined,
  now: Date,
): Pick<ClientCertificateStatus, 'lastFailure' | 'nextAttemptTime'> {
  const { resource } = seen;
  if (failure !== undefined) {
    const { error, nextAttemptAt } = failure;
    return {
      lastFailure: {
        time: toRfc3339(now),
        reason: error.code,
        message: messageOf(failure),
        attempts: attemptsSoFar(resource) + 1,
      },
      ...(nextAttemptAt === undefined ? {} : { nextAttemptTime: toRfc3339(nextAttemptAt) }),
    };
  }
  const { lastFailure, nextAttemptTime } = resource.status;
  const resting = decision.do === 'wait' && decision.recheckAt !== undefined;
  // Settled means that nothing is left to try, so the last try went well; under a suspension it means nothing.
  const overcome = decision.do === 'settle' && !resource.spec.suspended;
  return {
    ...(lastFailure === undefined || overcome ? {} : { lastFailure }),
    ...(resting && nextAttemptTime !== undefined ? { nextAttemptTime } : {}),
  };
}

/** The same wherever it is told: what is read back from lastFailure must not look like another failure. */
function messageOf({ error }: Failure): string {
  return error.message.slice(0, LONGEST_FAILURE_MESSAGE);
}

function renewalTime(seen: Observed, held: CertificateFacts, now: Date): Date | undefined {
  const { deleting, spec } = seen.resource;
  if (deleting !== undefined || spec.suspended || !isAuthority(seen.authority)) return undefined;
  const due = endsWithItsCA(held, seen.authority) ? undefined : scheduleOf(seen, held, now).due;
  const rotation = momentOfCARotation(seen);
  return due === undefined || (rotation !== undefined && rotation < due) ? rotation : due;
}

function notReady(reason: string, message: string): NewCondition {
  return { type: 'Ready', status: 'False', reason, message };
}

function timeText(moment: Date | undefined): string | undefined {
  return moment && toRfc3339(moment);
}

/** So that two statuses are equal exactly when their JSON is. */
function withoutUndefined<T extends object>(object: T): { [K in keyof T]: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(object).filter(([, value]) => value !== undefined)) as never;
}

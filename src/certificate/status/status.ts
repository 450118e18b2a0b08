import type { ClientCertificate } from '../../api/client-certificate.ts';
import { conditionsOf, failedAttempts } from '../../api/client-certificate.ts';
import { mergeConditions, type NewCondition, toRfc3339 } from '../../api/conditions.ts';
import type { ClientCertificateStatus } from '../../api/generated/types.ts';
import type { CertwheelError } from '../../errors.ts';
import { readable } from '../../foreign-text.ts';
import { svidProblems } from '../../pki/svid.ts';
import { isAuthority } from '../authority-view.ts';
import { endsWithItsCA } from '../decision/needs.ts';
import { scheduleOf } from '../decision/schedule.ts';
import type { Decision, Observed } from '../observed.ts';
import type { CertificateFacts } from '../secret/facts.ts';
import { leftBehind, readiness } from './ready.ts';
import { withUnreadRenewAt } from './renew-at.ts';
import { revocationsOf, withUnreadRevoke } from './revocations.ts';

/** The types of conditions that Certwheel writes. */
export const CERTIFICATE_CONDITIONS: readonly string[] = ['Ready', 'Issuing', 'Stalled', 'InvalidSVID'];

/** Why a certificate is being issued, and nothing is wrong: its authority answers later. */
export const AWAITED = 'Pending';

/** Why issuance is slowed down: others provoke one after the other. */
export const SLOWED: readonly string[] = ['SecretContested', 'TooManyChanges'];

/** Why the issuance policy, or an approver, denies a certificate. */
export const DENIED: readonly string[] = ['DeniedByPolicy', 'ApprovalDenied'];

/** Why a certificate is not issued although its authority could: it is denied, or the issuance policy has it wait. */
export const NOT_PERMITTED: readonly string[] = [...DENIED, 'ApprovalPending', 'TooManyCertificates'];

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
  return status.observedGeneration === generation ? failedAttempts(status) : 0;
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
  const held = seen.ours?.certificate;
  const memory = held && seen.ours?.memory;
  const trouble =
    failure === undefined
      ? 'code' in decision
        ? decision
        : undefined
      : { code: failure.error.code, message: messageOf(failure) };
  const ready = readiness(seen, held, trouble ?? pending, now, propagationMs);
  const conditions: NewCondition[] = [
    withUnreadRevoke(withUnreadRenewAt(ready, resource), resource),
    ...progress(decision, failure, pending),
    ...svid(resource),
  ];
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
    issuedBy: memory?.issuedBy,
    revocations: revocationsOf(seen, now),
    ...failures(seen, decision, failure, now),
  });
}

/** True beside Ready: most programs take such a certificate, and those that go by SPIFFE's rules may not. */
function svid({ spec: { identity } }: ClientCertificate): NewCondition[] {
  const problems = svidProblems(identity.names, identity.usages);
  if (problems.length === 0) return [];
  const message = `the certificate has a SPIFFE ID and is no X509-SVID: ${problems.join('; ')}`;
  return [
    {
      type: 'InvalidSVID',
      status: 'True',
      reason: 'BreaksX509SVID',
      message: readable(message, LONGEST_FAILURE_MESSAGE),
    },
  ];
}

function progress(
  decision: Decision,
  failure: Failure | undefined,
  pending: { readonly message: string } | undefined,
): NewCondition[] {
  if (pending !== undefined)
    return [
      { type: 'Issuing', status: 'True', reason: AWAITED, message: readable(pending.message, LONGEST_FAILURE_MESSAGE) },
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
    case 'wait': {
      if (SLOWED.includes(decision.code)) return [slowed(decision)];
      if (decision.code === 'CertificateWithheld')
        return [{ type: 'Issuing', status: 'True', reason: decision.code, message: decision.message }];
      // An authority that is not ready is waited for; the moment is that of its fallback.
      const isRetry = decision.recheckAt !== undefined && decision.code !== 'AuthorityNotReady';
      return [
        {
          type: 'Issuing',
          status: 'True',
          reason: isRetry ? 'Retrying' : decision.code,
          message: isRetry ? `${decision.code}: ${decision.message}` : decision.message,
        },
      ];
    }
    default:
      return [];
  }
}

function slowed({ code, message, recheckAt }: Extract<Decision, { do: 'wait' }>): NewCondition {
  const next = recheckAt === undefined ? '' : `${NEXT_ATTEMPT}${toRfc3339(recheckAt)}`;
  return { type: 'Issuing', status: 'True', reason: code, message: `${message}${next}` };
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
  const backingOff = decision.do === 'wait' && decision.recheckAt !== undefined;
  // Settled means that nothing is left to try, so the last try went well; under a suspension it means nothing.
  const overcome = decision.do === 'settle' && !resource.spec.suspended;
  return {
    ...(lastFailure === undefined || overcome ? {} : { lastFailure }),
    ...(backingOff && nextAttemptTime !== undefined ? { nextAttemptTime } : {}),
  };
}

/** The same in every place: what is read back from lastFailure must not look like another failure. */
function messageOf({ error }: Failure): string {
  return readable(error.message, LONGEST_FAILURE_MESSAGE);
}

function renewalTime(seen: Observed, held: CertificateFacts, now: Date): Date | undefined {
  const { deleting, spec } = seen.resource;
  if (deleting !== undefined || spec.suspended || !isAuthority(seen.authority)) return undefined;
  return endsWithItsCA(held, seen) ? undefined : scheduleOf(seen, held, now).due;
}

function timeText(moment: Date | undefined): string | undefined {
  return moment && toRfc3339(moment);
}

/** So that two statuses are equal exactly when their JSON is. */
function withoutUndefined<T extends object>(object: T): { [K in keyof T]: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(object).filter(([, value]) => value !== undefined)) as never;
}

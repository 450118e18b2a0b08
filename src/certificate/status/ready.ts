import type { ClientCertificate } from '../../api/client-certificate.ts';
import { heldBy, type NewCondition, toRfc3339 } from '../../api/conditions.ts';
import { formatDuration } from '../../api/duration.ts';
import type { ErrorCode } from '../../errors.ts';
import { contestOf } from '../brakes.ts';
import { comesFromElsewhere, differsFromSpec, endsWithItsCA } from '../decision/needs.ts';
import { scheduleOf } from '../decision/schedule.ts';
import { isOfEarlier, type Observed } from '../observed.ts';
import { revocationOfHeld } from '../revocation/own-certificates.ts';
import type { CertificateFacts } from '../secret/facts.ts';

/** Why a certificate is Ready and yet will expire in the hands of a workload. */
export const LIFE_TOO_SHORT = 'LifeTooShort';

/** A granted life that differs by no more than this part of the one that was asked for is not worth a word. */
const WORTH_TELLING = 0.1;

/** Why there is no certificate, or no new one: a code and a sentence, or a sentence alone where nothing is wrong. */
interface Hindrance {
  readonly code?: ErrorCode;
  readonly message: string;
}

/** The condition Ready; `held` is the certificate of a Secret that is the resource's own. */
export function readiness(
  seen: Observed,
  held: CertificateFacts | undefined,
  hindrance: Hindrance | undefined,
  now: Date,
  propagationMs: number,
): NewCondition {
  const trouble = hindrance?.code === undefined ? undefined : hindrance;
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
    return notReady(hindrance?.code ?? 'Pending', hindrance?.message ?? seen.ours?.problem ?? 'not issued yet');
  }
  const revoked = revocationOfHeld(seen);
  if (revoked !== undefined && revoked.state !== 'Refused')
    return notReady(
      'Revoked',
      [`the certificate is revoked (${revoked.reason})`, idle?.message ?? trouble?.message]
        .filter((part) => part !== undefined)
        .join('; '),
    );
  if (held.notBefore > now) return notReady('NotYetValid', notYetValid(seen, held));
  const mismatch = differsFromSpec(seen) ?? comesFromElsewhere(seen);
  if (mismatch !== undefined) return notReady(trouble?.code ?? mismatch.reason, trouble?.message ?? mismatch.message);
  return { type: 'Ready', status: 'True', ...readyBecause(seen, held, now, propagationMs) };
}

/** What workloads go on using after a restore, when the Secret was written for an earlier resource of this name. */
export function leftBehind(seen: Observed): CertificateFacts | undefined {
  return isOfEarlier(seen) && seen.protection === undefined ? seen.held : undefined;
}

/** A clock that was wrong when it was issued, or is wrong now: which of the two is unknown here. */
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
  const issuedBy = seen.ours?.memory.issuedBy;
  if (issuedBy !== undefined)
    return {
      reason: 'IssuedByFallback',
      message: `${validity}; issued by the fallback ${issuedBy}, since the authority was not ready`,
    };
  if (endsWithItsCA(held, seen))
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

/** Why nothing is issued whatever the certificate needs. */
function whyIdle({ deleting, spec }: ClientCertificate): Pick<NewCondition, 'reason' | 'message'> | undefined {
  if (deleting !== undefined)
    return {
      reason: 'BeingDeleted',
      message: `nothing is issued while the ClientCertificate is being deleted${heldBy(deleting)}`,
    };
  return spec.suspended ? { reason: 'Suspended', message: 'nothing is issued while spec.suspend is true' } : undefined;
}

function notReady(reason: string, message: string): NewCondition {
  return { type: 'Ready', status: 'False', reason, message };
}

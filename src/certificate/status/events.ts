import type { ClientCertificate } from '../../api/client-certificate.ts';
import { conditionsOf } from '../../api/client-certificate.ts';
import { toRfc3339 } from '../../api/conditions.ts';
import type { ClientCertificateStatus } from '../../api/generated/types.ts';
import type { StatusFields } from '../../api/stored-status.ts';
import type { RotationReason } from '../observed.ts';
import type { CertificateFacts } from '../secret/facts.ts';
import { LIFE_TOO_SHORT } from './ready.ts';
import { AWAITED, NEXT_ATTEMPT, SLOWED } from './status.ts';

/** One line of `kubectl describe`. */
export interface EventText {
  readonly type: 'Normal' | 'Warning';
  readonly reason: string;
  readonly action: string;
  readonly note: string;
}

/** Such as come to all certificates, and the status tells. A CA rotation has its events at the authority. */
const ROUTINE: readonly RotationReason[] = ['FirstIssue', 'Due', 'CARotated'];

/** The event of a certificate that was published; a routine one has an event where it ends a trouble, or the flag asks for it. */
export function issuedEvent(
  resource: ClientCertificate,
  reason: RotationReason,
  message: string,
  issued: CertificateFacts,
  routineEvents: boolean,
): EventText | undefined {
  if (ROUTINE.includes(reason) && !routineEvents && troubleOf(resource.status) === undefined) return undefined;
  const facts = `serial ${issued.serialNumber}, valid until ${toRfc3339(issued.notAfter)}`;
  return {
    type: 'Normal',
    reason: reason === 'FirstIssue' ? 'Issued' : 'Renewed',
    action: 'Issue',
    note: reason === 'FirstIssue' ? facts : `${reason}: ${message}; ${facts}`,
  };
}

/** The event of a certificate that a fallback signed in place of the authority. */
export function fallbackEvent(issuedBy: string, issued: CertificateFacts): EventText {
  const facts = `serial ${issued.serialNumber}, valid until ${toRfc3339(issued.notAfter)}`;
  return {
    type: 'Warning',
    reason: 'IssuedByFallback',
    action: 'Issue',
    note: `its authority is not ready, so the fallback ${issuedBy} issued it; ${facts}`,
  };
}

/** The event when nothing was published: each trouble once, when it begins or turns into another. */
export function troubleEvent(resource: ClientCertificate, status: ClientCertificateStatus): EventText | undefined {
  const trouble = troubleOf(status);
  const before = troubleOf(resource.status);
  if (trouble === undefined || (before?.reason === trouble.reason && before.message === trouble.message))
    return undefined;
  const expiry = status.notAfter === undefined ? '' : ` (the certificate it has is good until ${status.notAfter})`;
  return { type: 'Warning', reason: trouble.reason, action: 'Issue', note: `${trouble.message}${expiry}` };
}

/** The event when issuance begins to be slowed down, or a fight over the Secret begins. */
export function slowedEvent(resource: ClientCertificate, status: ClientCertificateStatus): EventText | undefined {
  const slowed = slowedBy(status);
  if (slowed === undefined || slowedBy(resource.status)?.reason === slowed.reason) return undefined;
  const [note = ''] = slowed.message.split(NEXT_ATTEMPT);
  return { type: 'Warning', reason: slowed.reason, action: 'Issue', note };
}

/** The event when a certificate has expired. */
export function expiredEvent(resource: ClientCertificate, status: ClientCertificateStatus): EventText | undefined {
  const isExpired = (each: Conditioned) =>
    conditionsOf(each).some(({ type, reason }) => type === 'Ready' && reason === 'Expired');
  if (!isExpired(status) || isExpired(resource.status)) return undefined;
  return {
    type: 'Warning',
    reason: 'Expired',
    action: 'Issue',
    note: `the certificate${status.serialNumber === undefined ? '' : ` ${status.serialNumber}`} expired at ${status.notAfter}`,
  };
}

/** The event when a certificate is issued that workloads may not have loaded when the one before it expires. */
export function shortLifeEvent(resource: ClientCertificate, status: ClientCertificateStatus): EventText | undefined {
  const short = shortLifeOf(status);
  if (short === undefined || shortLifeOf(resource.status) !== undefined) return undefined;
  return { type: 'Warning', reason: short.reason, action: 'Issue', note: short.message };
}

function shortLifeOf(status: Conditioned) {
  return conditionsOf(status).find(({ type, reason }) => type === 'Ready' && reason === LIFE_TOO_SHORT);
}

type Conditioned = StatusFields<'conditions'>;

function troubleOf(status: Conditioned) {
  return conditionsOf(status).find(
    ({ type, reason }) => type === 'Stalled' || (type === 'Issuing' && reason !== AWAITED && !SLOWED.includes(reason)),
  );
}

function slowedBy(status: Conditioned) {
  return conditionsOf(status).find(({ reason }) => SLOWED.includes(reason));
}

import { conditionsOf, failedAttempts } from '../../api/client-certificate.ts';
import { parseRfc3339 } from '../../api/conditions.ts';
import { earliest } from '../../api/moments.ts';
import type { RevocationReason } from '../../api/revocation.ts';
import type { Decision, Observed } from '../observed.ts';
import { askedToRevoke } from './asked.ts';
import { type OwnCertificate, ownCertificates } from './own-certificates.ts';
import { revokesAny } from './view.ts';

/** A certificate that is to be revoked, and why. */
export interface Wish extends OwnCertificate {
  readonly reason: RevocationReason;
}

export interface Wishes {
  /** To be revoked now. */
  readonly due: readonly Wish[];
  /** When more of them will be due. */
  readonly recheckAt: Date | undefined;
}

const NONE: Wishes = { due: [], recheckAt: undefined };

/** The refusals that `policyViolation: Revoke` is about: an identity that may not be held any more. */
const VIOLATIONS: readonly string[] = [
  'DeniedByPolicy',
  'ApprovalDenied',
  'NamespaceNotAllowed',
  'SystemIdentityDenied',
];

/** So many tries to replace a certificate with a compromised key may fail; then it is revoked without a successor. */
const TRIES_TO_REPLACE = 3;

/**
 * Which certificates of a ClientCertificate are to be revoked, once `decision` is made: what annotations ask for, and what
 * spec.revocation of the authority says that issued them. Each of them once; what was asked for by name goes first.
 */
export function wishesOf(seen: Observed, decision: Decision, now: Date): Wishes {
  const { resource, ours, held, revocation, revocations } = seen;
  const issuedAt = ours?.memory.issuedAt;
  if (ours === undefined || !mayAsk(seen)) return NONE;
  const all = ownCertificates(seen).filter(({ notAfter }) => notAfter > now);
  const isHeld = ({ serialNumber }: OwnCertificate) => serialNumber === held?.serialNumber;
  // Where the Secret is damaged, or holds the certificate of another, workloads still use what it held before.
  const hasSuccessor = all.some(isHeld);
  const wishes = new Map<string, Wish>();
  const add = (each: OwnCertificate, reason: RevocationReason) => {
    if (!wishes.has(each.serialNumber)) wishes.set(each.serialNumber, { ...each, reason });
  };
  for (const { entry, reason } of askedToRevoke(resource.revoke, all, now))
    if (!isHeld(entry) || !awaitsSuccessor(seen, decision, reason)) add(entry, reason);

  const later: Date[] = [];
  const asked = resource.revoke?.issuedBefore?.moment;
  if (asked !== undefined && asked > now) later.push(asked);
  const isViolation = (decision.do === 'refuse' || decision.do === 'wait') && VIOLATIONS.includes(decision.code);
  const violatedSince = isViolation ? (refusedSince(seen, decision.code) ?? now) : undefined;
  for (const each of all) {
    const policy = revocations?.(each.sealedFor)?.policy;
    if (policy === undefined) continue;
    /** As soon as `delay` has passed since then. A moment in the future is that of a clock that was wrong. */
    const after = (since: Date, reason: RevocationReason) => {
      const at = new Date(Math.min(since.getTime(), now.getTime()) + policy.delayMs);
      if (at <= now) add(each, reason);
      else later.push(at);
    };
    if (policy.revokesDeleted && resource.deleting !== undefined) add(each, 'cessationOfOperation');
    if (policy.revokesSuperseded && hasSuccessor && !isHeld(each) && issuedAt !== undefined)
      after(issuedAt, 'superseded');
    if (revocation?.policy.revokesViolations === true && violatedSince !== undefined)
      after(violatedSince, 'cessationOfOperation');
  }
  return { due: [...wishes.values()], recheckAt: earliest(later) };
}

/** Whether anything may be to be revoked: where nothing is asked for, that is known without a decision. */
export function mayAsk(seen: Observed): boolean {
  return seen.resource.revoke !== undefined || mayRevoke(seen);
}

/** Whether an authority behind it has a policy at all: most have none, and a ledger takes time to read. */
function mayRevoke({ ours, revocation, revocations }: Observed): boolean {
  const former = ours?.memory.ledger.match(/(?:Cluster)?CertificateAuthority\/[-a-z0-9.]{1,50}/g) ?? [];
  return revokesAny(revocation) || former.some((each) => revokesAny(revocations?.(each)));
}

/** Whether the certificate that a workload uses is to be replaced before it is revoked. */
function awaitsSuccessor({ resource }: Observed, decision: Decision, reason: RevocationReason): boolean {
  if (reason === 'keyCompromise' && failedAttempts(resource.status) >= TRIES_TO_REPLACE) return false;
  switch (decision.do) {
    case 'issue':
    // The Secret is written first; the next decision says whether there is a successor.
    case 'repair':
      return true;
    // What waits for a person may wait for ever.
    case 'wait':
      return decision.code === 'AuthorityNotReady' || decision.recheckAt !== undefined;
    default:
      return false;
  }
}

/** Since when the status says so: the one place that remembers it. A forged one only moves the moment. */
function refusedSince({ resource }: Observed, code: string): Date | undefined {
  const refused = conditionsOf(resource.status).find(({ type, reason }) => type !== 'Ready' && reason === code);
  return parseRfc3339(refused?.lastTransitionTime);
}

import type { CertificateApproval } from '../api/certificate-approval.ts';
import { type Decision, isUnread, requestDigest, type UnreadDecision } from '../api/certificate-approval.ts';
import type { ClientCertificate } from '../api/client-certificate.ts';

/**
 * The decision that counts for what a ClientCertificate asks for now, whenever it ends: of those on this very request, the
 * newest. One that can't be read may be on this request. Undefined where there is none. A decision without the mark of the
 * admission policy doesn't count.
 */
export function approvalOf(
  { name: certificateName, uid, spec }: Pick<ClientCertificate, 'name' | 'uid' | 'spec'>,
  decisions: readonly Decision[],
): CertificateApproval | UnreadDecision | undefined {
  const { kind, name } = spec.authorityRef;
  const isAboutIt = (each: Decision) =>
    each.certificateUid === uid &&
    // An approval wakes the certificate that it names, so that name must match. A denial counts under any name.
    (isUnread(each) || !each.isApproved || each.certificateName === certificateName) &&
    (isUnread(each) || (each.authorityRef.kind === kind && each.authorityRef.name === name)) &&
    each.approvedBy !== undefined &&
    each.deleting === undefined;
  const candidates = decisions.filter(isAboutIt);
  if (candidates.length === 0) return undefined;
  const asked = requestDigest(spec);
  return candidates.filter((each) => isUnread(each) || each.request === asked).sort(countsFirst)[0];
}

/** Times of creation are in whole seconds: of two decisions in the same second, which came last is not known. */
function countsFirst(one: Decision, other: Decision): number {
  if (one.createdAt !== other.createdAt) return one.createdAt < other.createdAt ? 1 : -1;
  if (permits(one) !== permits(other)) return permits(one) ? 1 : -1;
  return one.uid < other.uid ? 1 : -1;
}

function permits(decision: Decision): boolean {
  return !isUnread(decision) && decision.isApproved;
}

import { type CertificateApproval, requestDigest } from '../api/certificate-approval.ts';
import type { ClientCertificate } from '../api/client-certificate.ts';

/**
 * The decision that counts for what a ClientCertificate asks for now, whenever it ends: of those on this very request, the
 * newest. Undefined where there is none. An approval without the mark of the admission policy doesn't count.
 */
export function approvalOf(
  { uid, spec }: Pick<ClientCertificate, 'uid' | 'spec'>,
  approvals: readonly CertificateApproval[],
): CertificateApproval | undefined {
  const { kind, name } = spec.authorityRef;
  const isAboutIt = (each: CertificateApproval) =>
    each.certificateUid === uid &&
    each.authorityRef.kind === kind &&
    each.authorityRef.name === name &&
    each.approvedBy !== undefined &&
    each.deleting === undefined;
  const candidates = approvals.filter(isAboutIt);
  if (candidates.length === 0) return undefined;
  const asked = requestDigest(spec);
  return candidates.filter(({ request }) => request === asked).sort(newestFirst)[0];
}

function newestFirst(one: CertificateApproval, other: CertificateApproval): number {
  if (one.createdAt !== other.createdAt) return one.createdAt < other.createdAt ? 1 : -1;
  return one.uid < other.uid ? 1 : -1;
}

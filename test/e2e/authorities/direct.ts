import type { Authority, Issued } from '../../../src/authorities/authority.ts';
import type { CertificateView } from '../../../src/pki/certificate.ts';

/** The certificate that a backend has answered at once. */
export function leafOf(issued: Awaited<ReturnType<Authority['issue']>>): CertificateView {
  const [leaf] = (issued as Issued).chain;
  if (leaf === undefined) throw new Error('no certificate');
  return leaf;
}

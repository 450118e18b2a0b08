import { hash } from 'node:crypto';
import type { CertificateView } from './certificate.ts';

/** The CA certificates that verifiers must accept. */
export interface TrustBundle {
  /** One block after the other, sorted and without duplicates, so that the same trust is the same text. */
  readonly pem: string;
  readonly hash: string;
  /** By fingerprint. */
  readonly anchors: ReadonlyMap<string, CertificateView>;
}

export function bundleOf(certificates: readonly CertificateView[]): TrustBundle {
  const sorted = [...certificates].sort((one, other) => (one.fingerprintSHA256 < other.fingerprintSHA256 ? -1 : 1));
  const anchors = new Map(sorted.map((each) => [each.fingerprintSHA256, each]));
  const pem = [...anchors.values()].map((each) => each.pem).join('');
  return { pem, hash: hashOfBundle(pem), anchors };
}

/** A hash that is equal exactly where two bundles are the same text. */
export function hashOfBundle(pem: string): string {
  return hash('sha256', pem, 'base64url');
}

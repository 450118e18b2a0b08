import type { CertificateView } from './certificate.ts';

/**
 * When a CA of ours gets a successor: after two thirds of its life, so that the last third is there for the new one to
 * be trusted everywhere and for the old one's certificates to be re-issued.
 */
export function successorDue({ notBefore, notAfter }: { readonly notBefore: Date; readonly notAfter: Date }): Date {
  return new Date(notBefore.getTime() + ((notAfter.getTime() - notBefore.getTime()) * 2) / 3);
}

/** Of CA certificates that are trusted side by side, the one that lasts longest: after its end nothing is good any more. */
export function lastToEnd(trusted: readonly CertificateView[]): CertificateView | undefined {
  return trusted.reduce<CertificateView | undefined>(
    (last, each) => (last !== undefined && last.notAfter >= each.notAfter ? last : each),
    undefined,
  );
}

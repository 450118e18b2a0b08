import { AuthorityError, RetryableError } from '../../errors.ts';
import type { CertificateView } from '../../pki/certificate.ts';

/** Throws an AuthorityError for a profile that the server doesn't list. */
export function refuseUnknownProfile(
  profile: string | undefined,
  known: readonly string[] | undefined,
  server: string,
): void {
  if (profile === undefined || known?.includes(profile) === true) return;
  // It would ignore the field, and sign by whatever it has instead.
  if (known === undefined)
    throw new AuthorityError(
      'AuthorityMisconfigured',
      `${server} has no profiles; leave spec.acme.profile (${profile}) out`,
    );
  throw new AuthorityError(
    'AuthorityMisconfigured',
    `${server} has no profile ${profile} (spec.acme.profile); it has: ${known.map((each) => each.slice(0, 64)).join(', ')}`,
  );
}

/** The proof of the answer would refuse it too, but not say why a CA does that. */
export function refuseServerCertificate(leaf: CertificateView | undefined, server: string): void {
  if (leaf === undefined || leaf.usages.includes('client auth') || !leaf.usages.includes('server auth')) return;
  throw new RetryableError(
    'RequestFailed',
    `${server} issued a certificate for servers alone, without the usage client auth. Public CAs have ended client certificates (Let's Encrypt on 2026-07-08); use a private CA, or a profile or template of it that adds client auth`,
  );
}

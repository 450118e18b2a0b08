import type { Finding, LinterName } from './linters.ts';

/** Findings that are no faults of our certificates. */
export interface Allowed {
  readonly linter: LinterName;
  readonly code: string;
  /** What the linter says of it: other findings of the same code stay faults. */
  readonly details: RegExp;
  readonly reason: string;
}

export const ALLOWED: readonly Allowed[] = [
  {
    linter: 'zlint',
    code: 'e_subject_postal_code_max_length',
    details: /^$/,
    reason:
      'Its limit of 16 (ub-postal-code-length of RFC 5280 appendix A.1) is that of X.400 addresses. X.520 gives the attribute 40 (ub-postal-code), and the CRD too.',
  },
  {
    linter: 'zlint',
    code: 'e_ext_san_uri_host_not_fqdn_or_ip',
    details: /^$/,
    reason:
      'A SPIFFE ID whose trust domain has one label, which SPIFFE-ID section 2.1 allows. The CRD advises a dot, because some verifiers with name constraints refuse one without.',
  },
  {
    linter: 'zlint',
    code: 'e_key_usage_and_extended_key_usage_inconsistent',
    details:
      /DigitalSignature.* inconsistent with (?:ExtKeyUsage clientAuth|multiple purpose ExtKeyUsage \[.*clientAuth.*\])$/,
    reason:
      'RFC 5280 section 4.2.1.12 lists key usages that may be consistent with clientAuth. Digital signature is there, so the certificate is good for a TLS client; content commitment and encipherment were requested besides it.',
  },
  {
    linter: 'pkilint',
    code: 'pkix.invalid_uri_syntax',
    details: /: Invalid URI syntax: "(?:spiffe:\/\/[a-z0-9./]+|urn:uuid:[0-9a-f-]+)"$/,
    reason:
      'pkilint takes the URLs of browsers for all URIs. Both schemes are in use for identities, and RFC 5280 section 4.2.1.6 asks for the syntax of RFC 3986 alone.',
  },
  {
    linter: 'pkilint',
    code: 'pkix.invalid_domain_name_syntax',
    details: /: Invalid domain name syntax: "(?:\*(?:\.[a-z]+)+|payments)"$/,
    reason:
      'Wildcards, which RFC 5280 section 4.2.1.6 leaves to applications (RFC 9525 section 6.3), and host names of one label such as those of Services, which RFC 1034 section 3.5 allows.',
  },
];

export function isAllowedBy({ linter, code, details }: Finding, allowed: Allowed): boolean {
  return allowed.linter === linter && allowed.code === code && allowed.details.test(details);
}

import { AuthorityError } from '../../errors.ts';
import { membersOf } from '../http/json-members.ts';
import type { CaArn } from './arn.ts';

/** What DescribeCertificateAuthority says of a CA. */
export interface Description {
  readonly status: string;
  readonly notAfter: Date | undefined;
  readonly keyAlgorithm: string;
  readonly isShortLived: boolean;
  /** Whether it publishes revocations, by CRL or OCSP. */
  readonly publishesRevocations: boolean;
}

export type SigningAlgorithm = `SHA${256 | 384 | 512}WITH${'RSA' | 'ECDSA'}`;

/** For each key of a CA, what it signs with unless told. */
const DEFAULT_ALGORITHMS: ReadonlyMap<string, SigningAlgorithm> = new Map([
  ['RSA_2048', 'SHA256WITHRSA'],
  ['RSA_3072', 'SHA256WITHRSA'],
  ['RSA_4096', 'SHA256WITHRSA'],
  ['EC_prime256v1', 'SHA256WITHECDSA'],
  ['EC_secp384r1', 'SHA384WITHECDSA'],
  ['EC_secp521r1', 'SHA512WITHECDSA'],
]);

/** What must be done where a CA can't sign; the ARN follows `--certificate-authority-arn`. */
const STATUS_REMEDIES: ReadonlyMap<string, string> = new Map([
  ['DISABLED', 'enable it: aws acm-pca update-certificate-authority --status ACTIVE --certificate-authority-arn'],
  [
    'EXPIRED',
    'renew its certificate: aws acm-pca import-certificate-authority-certificate --certificate-authority-arn',
  ],
  [
    'PENDING_CERTIFICATE',
    'install its certificate: aws acm-pca get-certificate-authority-csr --certificate-authority-arn',
  ],
  ['DELETED', 'restore it: aws acm-pca restore-certificate-authority --certificate-authority-arn'],
  ['FAILED', 'it can only be made anew; see: aws acm-pca describe-certificate-authority --certificate-authority-arn'],
  ['CREATING', 'wait for it: aws acm-pca wait certificate-authority-csr-created --certificate-authority-arn'],
]);

/** Nothing about the shape of an answer is believed. Throws an AuthorityError where it holds no CA. */
export function readDescription(body: unknown, arn: string): Description {
  const ca = membersOf(membersOf(body).CertificateAuthority);
  const { Status, NotAfter, UsageMode, CertificateAuthorityConfiguration, RevocationConfiguration } = ca;
  const { KeyAlgorithm } = membersOf(CertificateAuthorityConfiguration);
  if (typeof Status !== 'string' || typeof KeyAlgorithm !== 'string')
    throw new AuthorityError('InvalidAnswer', `DescribeCertificateAuthority answered without the CA ${arn}`);
  const { CrlConfiguration, OcspConfiguration } = membersOf(RevocationConfiguration);
  const isOn = (configuration: unknown) => membersOf(configuration).Enabled === true;
  return {
    status: Status,
    // Seconds since 1970, with a fraction.
    notAfter: typeof NotAfter === 'number' ? dateOf(NotAfter) : undefined,
    keyAlgorithm: KeyAlgorithm,
    isShortLived: UsageMode === 'SHORT_LIVED_CERTIFICATE',
    publishesRevocations: isOn(CrlConfiguration) || isOn(OcspConfiguration),
  };
}

function dateOf(seconds: number): Date | undefined {
  const date = new Date(seconds * 1_000);
  return Number.isNaN(date.getTime()) ? undefined : date;
}

/** Throws an AuthorityError where the CA can't sign at that moment, with the command that mends it. */
export function refuseUnusable({ status, notAfter }: Description, { arn }: CaArn, now: Date): void {
  if (status !== 'ACTIVE') {
    const remedy = STATUS_REMEDIES.get(status);
    throw new AuthorityError(
      status === 'EXPIRED' ? 'CAExpired' : 'AuthorityMisconfigured',
      `the CA ${arn} is ${status.slice(0, 40)}${remedy === undefined ? '' : `; ${remedy} ${arn}`}`,
    );
  }
  if (notAfter !== undefined && notAfter <= now)
    throw new AuthorityError('CAExpired', `the CA ${arn} has expired at ${notAfter.toISOString()}`);
}

/** Throws an AuthorityError where the CA's key can't sign so. */
export function signingAlgorithm(
  { keyAlgorithm }: Description,
  { arn }: CaArn,
  wanted: SigningAlgorithm | undefined,
): SigningAlgorithm {
  const byKey = DEFAULT_ALGORITHMS.get(keyAlgorithm);
  if (byKey === undefined)
    throw new AuthorityError(
      'AuthorityMisconfigured',
      `the CA ${arn} has a key of the kind ${keyAlgorithm.slice(0, 40)}, whose certificates TLS stacks don't take yet; use a CA with an RSA or ECDSA key`,
    );
  const family = byKey.split('WITH')[1];
  if (wanted !== undefined && wanted.split('WITH')[1] !== family)
    throw new AuthorityError(
      'AuthorityMisconfigured',
      `signingAlgorithm ${wanted} doesn't fit the key of the CA, which is ${keyAlgorithm}; use one that ends with ${family}`,
    );
  return wanted ?? byKey;
}

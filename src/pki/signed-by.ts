import { type CertificateView, verifySignature } from './certificate.ts';
import { isAlmostSameName } from './name.ts';

/**
 * How many signatures, and of what cost, one question about a path may verify. The certificates come from tenants and
 * from other machines, and the work is done on the event loop.
 */
export interface Effort {
  /** In hundredths of a millisecond, see `costOf`. */
  costLeft: number;
  /** Certificates that the search may enter, however cheap their signatures are. */
  stepsLeft: number;
}

const MAX_COST = 2_000;
const MAX_STEPS = 200;

export function newEffort(costLeft = MAX_COST): Effort {
  return { costLeft, stepsLeft: MAX_STEPS };
}

/** What a certificate says of the one that signed it. */
export type NamesIssuer = Pick<
  CertificateView,
  'issuerDer' | 'authorityKeyId' | 'authorityCertIssuer' | 'authorityCertSerial'
>;

/**
 * What `child` says of its issuer: its name, its key id where both give one, and the name and number of the issuer's own
 * certificate where `child` gives them (X509_check_akid of OpenSSL; Java too). Names are compared as bytes, as Go does.
 */
export function namesAsIssuer(child: NamesIssuer, issuer: CertificateView): boolean {
  const { authorityKeyId, authorityCertIssuer, authorityCertSerial } = child;
  return (
    child.issuerDer.equals(issuer.subjectDer) &&
    (authorityKeyId === undefined || issuer.subjectKeyId === undefined || authorityKeyId === issuer.subjectKeyId) &&
    (authorityCertSerial === undefined || authorityCertSerial === issuer.serialNumber) &&
    (authorityCertIssuer === undefined || authorityCertIssuer.equals(issuer.issuerDer))
  );
}

/** The same as OpenSSL has it: names are equal there whatever their letter case, blanks and string types (X509_NAME_cmp). */
export function namesAsIssuerForOpenssl(child: NamesIssuer, issuer: CertificateView): boolean {
  const isSameName = isAlmostSameName(child.issuerDer, issuer.subjectDer);
  return isSameName && namesAsIssuer({ ...child, issuerDer: issuer.subjectDer }, issuer);
}

/**
 * Whether `issuer` signed `child`: names, key ids and the signature. Without effort left, the answer is false and
 * `effort.costLeft` is negative.
 */
export function isIssuedBy(child: CertificateView, issuer: CertificateView, effort: Effort = newEffort()): boolean {
  return namesAsIssuer(child, issuer) && verified(child, issuer, effort);
}

/** Whether the certificate's own key made its signature, and not only its names are equal. */
export function isSelfSigned(certificate: CertificateView, effort: Effort = newEffort()): boolean {
  return isSelfIssued(certificate) && isIssuedBy(certificate, certificate, effort);
}

/** Issuer and subject are the same name; so it is in a root, and in a CA that renewed its key (RFC 5280 section 3.2). */
export function isSelfIssued({ subjectDer, issuerDer }: Pick<CertificateView, 'subjectDer' | 'issuerDer'>): boolean {
  return subjectDer.equals(issuerDer);
}

// The same pair is verified when a certificate is issued, proven and published, and a signature costs more than all else.
// A renewed CA keeps its key, so the key is remembered and not the certificate.
const known = new WeakMap<CertificateView, Map<string, boolean>>();

function verified(child: CertificateView, issuer: CertificateView, effort: Effort): boolean {
  const answers = known.get(child) ?? new Map<string, boolean>();
  const before = answers.get(issuer.publicKeyPin);
  if (before !== undefined) return before;
  effort.costLeft -= costOf(issuer);
  if (effort.costLeft < 0) return false;
  const answer = verifySignature(child, issuer);
  answers.set(issuer.publicKeyPin, answer);
  known.set(child, answers);
  return answer;
}

/** Hundredths of a millisecond for one signature with a key, which for RSA takes many times as long as to verify it. */
export function costOfSigning(signer: CertificateView | undefined): number {
  return signer === undefined ? 0 : costOf(signer) * SIGNING_TIMES;
}

const SIGNING_TIMES = 40;

/** Hundredths of a millisecond for one verification with this key, measured with OpenSSL 3 on two slow cores. */
export function costOf({ keySpec }: Pick<CertificateView, 'keySpec'>): number {
  switch (keySpec?.algorithm) {
    case 'ECDSA':
      return { 256: 8, 384: 70, 521: 155 }[keySpec.size];
    case 'Ed25519':
      return 12;
    case 'RSA':
      return 2 + Math.ceil((keySpec.size / 1024) ** 2 / 2);
    default:
      // verifySignature answers without a look at the signature.
      return 1;
  }
}

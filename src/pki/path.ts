import { type CertificateView, verifySignature, weakSignature } from './certificate.ts';
import { MIN_RSA_EXPONENT, rsaExponent } from './keys.ts';

/** Real chains have three or four; each one more costs a search. */
export const MAX_CHAIN = 10;
/** A signature of P-521 takes more than a millisecond, and whoever chose the certificates chose how many fit by name. */
const MAX_VERIFICATIONS = 25;
const MIN_RSA_BITS = 2048;
/** More than any name needs that is to be recognised. */
const LONGEST_NAME = 200;

/**
 * A path from `leaf` to one of `anchors`: leaf first, the anchor last, every signature verified. Whether the issuers
 * may issue, and dates, are not looked at: see `issuersProblem`. `others` may be in any order and hold strangers; what
 * can't be found with a bounded number of signatures isn't found.
 */
export function findPath(
  leaf: CertificateView,
  others: readonly CertificateView[],
  anchors: readonly CertificateView[],
): readonly CertificateView[] | undefined {
  return search(leaf, others.slice(0, MAX_CHAIN), anchors, {
    entered: new Set(),
    verificationsLeft: MAX_VERIFICATIONS,
  });
}

interface Search {
  /** Fingerprints. */
  readonly entered: Set<string>;
  verificationsLeft: number;
}

// No certificate is entered twice, so cross-signed CAs make neither a loop nor an explosion.
function search(
  tip: CertificateView,
  others: readonly CertificateView[],
  anchors: readonly CertificateView[],
  state: Search,
): readonly CertificateView[] | undefined {
  state.entered.add(tip.fingerprintSHA256);
  const anchor = anchors.find((each) => isIssuedWithin(state, tip, each));
  if (anchor !== undefined) return [tip, anchor];
  for (const issuer of others) {
    // One that has signed itself leads nowhere else, and verifiers who come to it stop.
    if (issuer.selfSigned || state.entered.has(issuer.fingerprintSHA256)) continue;
    if (!isIssuedWithin(state, tip, issuer)) continue;
    const rest = search(issuer, others, anchors, state);
    if (rest !== undefined) return [tip, ...rest];
  }
  return undefined;
}

function isIssuedWithin(state: Search, child: CertificateView, issuer: CertificateView): boolean {
  if (state.verificationsLeft === 0 || !namesAsIssuer(child, issuer)) return false;
  state.verificationsLeft -= 1;
  return verifiedOnce(child, issuer);
}

/** Names, key ids where both sides give them, and the signature. */
export function isIssuedBy(child: CertificateView, issuer: CertificateView): boolean {
  return namesAsIssuer(child, issuer) && verifiedOnce(child, issuer);
}

/** What `child` says of its issuer: name, and key id where both sides give one. Names are compared as bytes, as Go does. */
export function namesAsIssuer(child: CertificateView, issuer: CertificateView): boolean {
  if (!child.issuerDer.equals(issuer.subjectDer)) return false;
  const { authorityKeyId } = child;
  return authorityKeyId === undefined || issuer.subjectKeyId === undefined || authorityKeyId === issuer.subjectKeyId;
}

// The same pair is looked at when a certificate is issued, proven and published; a signature costs more than all else.
const verified = new WeakMap<CertificateView, Map<string, boolean>>();

function verifiedOnce(child: CertificateView, issuer: CertificateView): boolean {
  const known = verified.get(child) ?? new Map<string, boolean>();
  verified.set(child, known);
  // A fingerprint stands for the whole certificate, its key included.
  const answer = known.get(issuer.fingerprintSHA256) ?? verifySignature(child, issuer);
  known.set(issuer.fingerprintSHA256, answer);
  return answer;
}

/**
 * Why the CAs may not stand above a leaf, as a sentence; undefined if they may. Nearest to the leaf first, the anchor
 * last; without `now`, dates don't count. Signatures are `findPath`'s part; name constraints are left to the verifier
 * that the leaf is shown to.
 */
export function issuersProblem(issuers: readonly CertificateView[], now: Date | undefined): string | undefined {
  let below = 0;
  for (const [index, issuer] of issuers.entries()) {
    const problem = issuerProblem(issuer, below, now, index === issuers.length - 1);
    if (problem !== undefined) return `${nameOf(issuer)} ${problem}`;
    // RFC 5280 section 4.2.1.9 doesn't count self-issued ones, which only renew a key.
    if (!issuer.subjectDer.equals(issuer.issuerDer)) below += 1;
  }
  return undefined;
}

function nameOf({ subjectText }: CertificateView): string {
  if (subjectText === '') return 'an issuer without a name';
  return subjectText.length > LONGEST_NAME ? `${subjectText.slice(0, LONGEST_NAME)}...` : subjectText;
}

function issuerProblem(
  issuer: CertificateView,
  below: number,
  now: Date | undefined,
  isAnchor: boolean,
): string | undefined {
  if (!issuer.isCA) return 'is not a CA';
  if (issuer.certSign === false) return 'may not sign certificates';
  if (below > (issuer.pathLength ?? below)) return `allows ${issuer.pathLength} CAs below it and has ${below}`;
  if (now !== undefined && now > issuer.notAfter) return `has expired at ${issuer.notAfter.toISOString()}`;
  if (now !== undefined && now < issuer.notBefore) return `is not valid before ${issuer.notBefore.toISOString()}`;
  // An anchor is trusted by itself and not for what signed it.
  return strengthProblem(issuer, !isAnchor);
}

/** Weak keys, broken hashes and critical extensions that nobody here understands. */
export function strengthProblem(certificate: CertificateView, signatureCounts: boolean): string | undefined {
  const weak = signatureCounts ? weakSignature(certificate) : undefined;
  if (weak !== undefined) return `is signed with ${weak}`;
  const unknown = certificate.unknownCritical[0];
  if (unknown !== undefined) return `has the unknown critical extension ${unknown}`;
  return keyProblem(certificate);
}

function keyProblem({ keySpec, publicKeyDer }: CertificateView): string | undefined {
  if (keySpec === undefined) return 'has a key of an unsupported kind';
  if (keySpec.algorithm !== 'RSA') return undefined;
  if (keySpec.size < MIN_RSA_BITS) return `has an RSA key of only ${keySpec.size} bits`;
  // With the exponent 1 a signature is the text itself, and anybody can write one.
  const exponent = rsaExponent(publicKeyDer);
  return exponent < MIN_RSA_EXPONENT
    ? `has an RSA key with the public exponent ${exponent}; at least ${MIN_RSA_EXPONENT} is needed`
    : undefined;
}

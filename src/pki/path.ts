import { type CertificateView, weakSignature } from './certificate.ts';
import { encodingProblem } from './foreign-encodings.ts';
import { type KeySpec, MIN_RSA_EXPONENT, rsaExponent } from './keys.ts';
import { readByOpenssl } from './openssl-path.ts';
import { type Path, PathSearch, poolOf } from './path-search.ts';
import {
  type Effort,
  isSelfIssued,
  isSelfSigned,
  type NamesIssuer,
  namesAsIssuerForOpenssl,
  newEffort,
} from './signed-by.ts';

const MIN_RSA_BITS = 2048;
/** OpenSSL and Go know it; Java reads no extension of an anchor, whatever the spelling of its name. */
const CRL_DISTRIBUTION_POINTS = '2.5.29.31';
/** More than any name needs that is to be recognised. */
const LONGEST_NAME = 200;

/** Leaf first, the anchor last, or why there is no good path; `path` is then the first of those that are not good. */
export type LeafPath =
  | { readonly path: Path; readonly problem: undefined }
  | { readonly path: Path | undefined; readonly problem: string };

/**
 * The first path from `leaf` to one of `anchors` that `judge` finds nothing wrong with. `others` may be in any order and
 * hold strangers. Names, key ids and signatures are verified here; all else is for `judge`.
 */
export function findPath(
  leaf: CertificateView,
  others: readonly CertificateView[],
  anchors: readonly CertificateView[],
  now: Date | undefined,
  judge: (path: Path) => string | undefined = () => undefined,
): LeafPath {
  const search = leafSearch(leaf, others, anchors, now, newEffort());
  let refused: { readonly path: Path; readonly problem: string } | undefined;
  for (const path of search.from(leaf)) {
    const problem = judge(path);
    if (problem === undefined) return { path, problem };
    refused ??= { path, problem };
  }
  return refused ?? { path: undefined, problem: whyNoPath(search) };
}

/** So many roots of one CA are trusted side by side at most, while it is renewed. */
const MOST_ENDS = 8;

/**
 * The issuer of `leaf`, and all of `anchors` to which it leads, the preferred one first; by names and signatures alone.
 * Undefined where it leads to none.
 */
export function endsOf(
  leaf: CertificateView,
  others: readonly CertificateView[],
  anchors: readonly CertificateView[],
  effort: Effort,
): { readonly issuer: CertificateView; readonly anchors: readonly CertificateView[] } | undefined {
  const search = leafSearch(leaf, others, anchors, undefined, effort);
  let issuer: CertificateView | undefined;
  const ends = new Set<CertificateView>();
  for (const path of search.from(leaf)) {
    issuer ??= path[1];
    const end = path.at(-1);
    if (end !== undefined) ends.add(end);
    if (ends.size === MOST_ENDS) break;
  }
  return issuer && { issuer, anchors: [...ends] };
}

function leafSearch(
  leaf: CertificateView,
  others: readonly CertificateView[],
  anchors: readonly CertificateView[],
  now: Date | undefined,
  effort: Effort,
): PathSearch {
  const tops = new Set(anchors.map(({ fingerprintSHA256 }) => fingerprintSHA256));
  const isTop = (certificate: CertificateView) => certificate !== leaf && tops.has(certificate.fingerprintSHA256);
  return new PathSearch({ pool: poolOf([...others, ...anchors]), isTop, now }, effort);
}

function whyNoPath(search: PathSearch): string {
  if (search.isExhausted) return TOO_MANY;
  const top = search.deadEnd?.at(-1);
  if (top !== undefined && isSelfIssued(top)) return `its path ends at ${nameOf(top)}, which is not trusted`;
  return `the CA certificate that signed ${nameOf(top)} is missing`;
}

/** Where the search gave up. */
export const TOO_MANY = 'too many CA certificates have the same name: their signatures are not all verified';

/**
 * Why the CAs may not stand above a leaf, as a sentence; undefined if they may. Nearest to the leaf first, the anchor
 * last. Signatures are verified by `findPath`; dates are for `datesProblem`, and what CAs forbid for `rulesOf`.
 */
export function issuersProblem(issuers: readonly CertificateView[]): string | undefined {
  // RFC 5280 section 4.2.1.9 doesn't count self-issued CAs, which only renew a key; Go counts them.
  const anchor = issuers.at(-1);
  const read = new Set(readByOpenssl(issuers));
  for (const [below, issuer] of issuers.entries()) {
    const problem = issuerProblem(issuer, { below, isAnchor: issuer === anchor, isRead: read.has(issuer) });
    if (problem !== undefined) return `${nameOf(issuer)} ${problem}`;
  }
  return undefined;
}

/** What a certificate, or one that is still to be signed, says of its issuer. */
export interface Child extends NamesIssuer {
  readonly signatureKind: KeySpec['algorithm'] | undefined;
}

/**
 * Where the anchor has the name of another issuer in the path, and no key id tells the two apart: OpenSSL looks among the
 * trusted certificates first, and doesn't go on when a signature fails (build_chain in crypto/x509/x509_vfy.c).
 */
export function mistakenAnchor(leaf: Child, issuers: Path): string | undefined {
  const anchor = issuers.at(-1);
  if (anchor === undefined) return undefined;
  const children = [leaf, ...issuers.map(asChild)];
  const mistaken = issuers.find(({ publicKeyPin }, index) => {
    const child = children[index];
    return publicKeyPin !== anchor.publicKeyPin && child !== undefined && seemsSignedBy(child, anchor);
  });
  return (
    mistaken &&
    `${nameOf(mistaken)} has the name of the root and no key id that tells the two apart, so OpenSSL takes the root for it; give one of the two another name, or have it made again with a subject key id`
  );
}

export function asChild(certificate: CertificateView): Child {
  return { ...certificate, signatureKind: signatureKindOf(certificate) };
}

/** Which of the CAs is not valid at `now`, as a sentence. */
export function datesProblem(issuers: readonly CertificateView[], now: Date): string | undefined {
  for (const issuer of issuers) {
    if (now > issuer.notAfter) return `${nameOf(issuer)} has expired at ${issuer.notAfter.toISOString()}`;
    if (now < issuer.notBefore) return `${nameOf(issuer)} is not valid before ${issuer.notBefore.toISOString()}`;
  }
  return undefined;
}

export function nameOf(certificate: CertificateView | undefined): string {
  const subjectText = certificate?.subjectText ?? '';
  if (subjectText === '') return 'an issuer without a name';
  return subjectText.length > LONGEST_NAME ? `${subjectText.slice(0, LONGEST_NAME)}...` : subjectText;
}

interface Place {
  /** How many CAs are between the issuer and the leaf. */
  readonly below: number;
  readonly isAnchor: boolean;
  /** See readByOpenssl. */
  readonly isRead: boolean;
}

function issuerProblem(issuer: CertificateView, { below, isAnchor, isRead }: Place): string | undefined {
  if (!issuer.isCA) return 'is not a CA';
  if (issuer.certSign === false) return 'may not sign certificates: its key usage lacks keyCertSign';
  if (!isAnchor && isRead && looksLikeRoot(issuer))
    return 'has the name of its issuer and no key ids that tell the two apart, so OpenSSL takes it for a root';
  if (below > (issuer.pathLength ?? below)) return `allows ${issuer.pathLength} CAs below it and has ${below}`;
  // An anchor is trusted by itself and not for what signed it.
  return strengthProblem(issuer, !isAnchor, !isAnchor && isRead) ?? unreadable(issuer);
}

/** What OpenSSL compares before it verifies a signature: names, key ids and kinds of keys (crypto/x509/v3_purp.c). */
function seemsSignedBy(child: Child, issuer: CertificateView): boolean {
  return namesAsIssuerForOpenssl(child, issuer) && child.signatureKind === issuer.keySpec?.algorithm;
}

function signatureKindOf({ signatureAlgorithm }: CertificateView): KeySpec['algorithm'] {
  if (signatureAlgorithm.startsWith('ecdsa')) return 'ECDSA';
  return signatureAlgorithm === 'Ed25519' ? 'Ed25519' : 'RSA';
}

/** OpenSSL doesn't verify the signature of what it takes for a root. */
function looksLikeRoot(certificate: CertificateView): boolean {
  return seemsSignedBy(asChild(certificate), certificate) && !isSelfSigned(certificate);
}

function unreadable(certificate: CertificateView): string | undefined {
  const problem = encodingProblem(certificate);
  return problem && `is not readable by all verifiers: ${problem}`;
}

/** Weak keys, broken hashes and critical extensions that Certwheel doesn't understand. */
export function strengthProblem(
  certificate: CertificateView,
  signatureCounts: boolean,
  isReadByJava = signatureCounts,
): string | undefined {
  const weak = signatureCounts ? weakSignature(certificate) : undefined;
  if (weak !== undefined) return `is signed with ${weak}`;
  const unknown = certificate.unknownCritical.find((each) => isReadByJava || each !== CRL_DISTRIBUTION_POINTS);
  if (unknown === CRL_DISTRIBUTION_POINTS) return 'has critical CRL distribution points, which Java refuses';
  if (unknown !== undefined) return `has the unknown critical extension ${unknown}`;
  return keyProblem(certificate);
}

function keyProblem({ keySpec, publicKeyDer }: CertificateView): string | undefined {
  if (keySpec === undefined) return 'has a key of an unsupported kind';
  if (keySpec.algorithm !== 'RSA') return undefined;
  if (keySpec.size < MIN_RSA_BITS) return `has an RSA key of only ${keySpec.size} bits`;
  // With the exponent 1 a signature is the text itself, so it can be forged without the key.
  const exponent = rsaExponent(publicKeyDer);
  return exponent < MIN_RSA_EXPONENT
    ? `has an RSA key with the public exponent ${exponent}; at least ${MIN_RSA_EXPONENT} is needed`
    : undefined;
}

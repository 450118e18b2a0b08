import type { CertificateView } from './certificate.ts';
import { type ConstraintProblem, constraintsProblem } from './constraints/constraints.ts';
import { escapeInvisible, SUBJECT_FIELDS, type Subject, sameSubjectField, valuesOf } from './name.ts';
import { asChild, datesProblem, findPath, type LeafPath, mistakenAnchor, strengthProblem } from './path.ts';
import { rulesOf } from './path-rules.ts';
import { MAX_CHAIN, type Path } from './path-search.ts';
import { canonicalName, NAME_FIELDS, type Names, sameNames } from './san.ts';
import { isSelfSigned } from './signed-by.ts';
import { canonicalUsage, isKeyUsage } from './usages.ts';

/**
 * Whether the first certificate is one of the anchors or leads to one, by names and signatures alone; the rest in any
 * order.
 */
export function chainsTo(chain: readonly CertificateView[], anchors: readonly CertificateView[]): boolean {
  const [leaf, ...others] = chain;
  if (leaf === undefined) return false;
  const isAnchor = anchors.some(({ fingerprintSHA256 }) => fingerprintSHA256 === leaf.fingerprintSHA256);
  return isAnchor || findPath(leaf, others, anchors, undefined).path !== undefined;
}

/**
 * What belongs into tls.crt: the path from the first certificate to an anchor as `proveIssued` proves it, without the
 * root, which verifiers have. An anchor that isn't self-signed stays: servers that trust the real root need it. Empty
 * where there is no good path.
 */
export function wayToAnchor(
  chain: readonly CertificateView[],
  anchors: readonly CertificateView[],
  now: Date,
): readonly CertificateView[] {
  const [leaf, ...others] = chain;
  const found = leaf && provenPath(leaf, others, anchors, now);
  if (found?.problem !== undefined || found?.path === undefined) return [];
  return withoutRoot(found.path);
}

export function withoutRoot(path: Path): Path {
  const top = path.at(-1);
  return top !== undefined && isSelfSigned(top) ? path.slice(0, -1) : path;
}

/** `subject` stands for all of it but the common name. */
export type CarriedField = 'commonName' | 'subject' | keyof Names;

export interface Expected {
  /** SubjectPublicKeyInfo that the request was for. */
  readonly publicKeyDer: Buffer;
  readonly subject: Subject;
  readonly names: Names;
  /** cert-manager's names, see `Usage`. */
  readonly usages: readonly string[];
  /** The certificate may not end later than this. */
  readonly notAfterLimit?: Date | undefined;
  /** And must be good until then at least. */
  readonly goodUntil?: Date | undefined;
  /** Serial numbers (lower-case hex) that the authority has given away before. */
  readonly usedSerials?: readonly string[] | undefined;
  readonly now: Date;
  /** How far ahead a notBefore may lie and still be waited for. */
  readonly maxAheadMs?: number | undefined;
}

export interface IssuedProof {
  /** As the authority answered: leaf first, its issuers in any order. */
  readonly chain: readonly CertificateView[];
  /** CA certificates that the answer may lack. */
  readonly intermediates?: readonly CertificateView[];
  /** The CA certificates that verifiers accept. */
  readonly anchors: readonly CertificateView[];
  readonly expected: Expected;
  /**
   * The fields that the authority can carry: there the answer must be what was asked for. In the subject, others may
   * hold what the authority puts there; other alternative names than those asked for are never right.
   */
  readonly carries: readonly CarriedField[];
}

export interface Flaw {
  readonly problem: string;
  /** Of the request, where the CA's constraints forbid what it asks for. */
  readonly field?: ConstraintProblem['field'];
  /** Set if nothing else is wrong and the certificate becomes valid in so many milliseconds, at most `maxAheadMs`. */
  readonly validInMs?: number;
  /** No path leads to an anchor. */
  readonly isOfAnotherCa?: true;
}

const MAX_AHEAD_MS = 60_000;

/** The first thing that is wrong with what an authority answered; undefined if it is exactly what was asked for. */
export function proveIssued({ chain, intermediates = [], anchors, expected, carries }: IssuedProof): Flaw | undefined {
  const [leaf, ...others] = chain;
  if (leaf === undefined) return { problem: 'there is no certificate' };
  const problem =
    keyProblem(leaf, others, expected) ??
    subjectProblem(leaf, expected.subject, carries) ??
    namesProblem(leaf, expected.names, carries) ??
    usagesProblem(leaf, expected) ??
    prefixed(strengthProblem(leaf, true));
  if (problem !== undefined) return { problem };
  const flaw = trustFlaw(leaf, others, intermediates, anchors, expected.now);
  if (flaw !== undefined) return flaw;
  const late = endProblem(leaf, expected) ?? serialProblem(leaf, expected);
  return late === undefined ? beginFlaw(leaf, expected) : { problem: late };
}

function prefixed(problem: string | undefined): string | undefined {
  return problem && `the certificate ${problem}`;
}

function keyProblem(
  leaf: CertificateView,
  others: readonly CertificateView[],
  { publicKeyDer }: Expected,
): string | undefined {
  if (leaf.publicKeyDer.equals(publicKeyDer)) return undefined;
  const isLater = others.some((each) => each.publicKeyDer.equals(publicKeyDer));
  return `the certificate is for another public key${isLater ? '; the one for the key stands later in the chain, and must come first' : ''}`;
}

function subjectProblem(leaf: CertificateView, asked: Subject, carries: readonly CarriedField[]): string | undefined {
  for (const field of SUBJECT_FIELDS) {
    if (!carries.includes(field === 'commonName' ? field : 'subject') || sameSubjectField(field, leaf.subject, asked))
      continue;
    return differs(field, valuesOf(leaf.subject, field), valuesOf(asked, field));
  }
  // A second common name is foreign too, since Subject holds only one.
  const foreign = leaf.foreignAttributes.find((text) =>
    carries.includes(text.startsWith('CN=') ? 'commonName' : 'subject'),
  );
  return foreign && `the subject holds ${quote([foreign])}, which was not requested`;
}

function namesProblem(leaf: CertificateView, asked: Names, carries: readonly CarriedField[]): string | undefined {
  for (const field of NAME_FIELDS) {
    const wanted = carries.includes(field)
      ? asked[field]
      : asked[field].filter((name) => includesName(leaf.names, field, name));
    if (!sameNames(field, leaf.names[field], wanted)) return differs(field, leaf.names[field], wanted);
  }
  const [foreign] = leaf.foreignNames;
  return foreign && `the certificate holds a ${foreign}, which was not requested`;
}

function includesName(names: Names, field: keyof Names, wanted: string): boolean {
  return names[field].some((name) => canonicalName(field, name) === canonicalName(field, wanted));
}

function differs(field: string, got: readonly string[], asked: readonly string[]): string {
  return `${field} holds ${quote(got)} in place of ${quote(asked)}`;
}

const MAX_QUOTE = 200;

/** What an authority answers is foreign text: quoted, and not all of it. */
export function quote(values: readonly string[]): string {
  if (values.length === 0) return 'nothing';
  const text = values.map((value) => escapeInvisible(JSON.stringify(value))).join(', ');
  return text.length > MAX_QUOTE ? `${text.slice(0, MAX_QUOTE)}...` : text;
}

function usagesProblem(leaf: CertificateView, { usages }: Expected): string | undefined {
  if (leaf.isCA || leaf.certSign) return 'the certificate is a CA';
  const asked = usages.map(canonicalUsage);
  const has = new Set(leaf.usages);
  // Without a key usage extension all of them are allowed, so none is missing.
  const restrictsKey = leaf.certSign !== undefined;
  const missing = asked.find((usage) => !has.has(usage) && (restrictsKey || !isKeyUsage(usage)));
  if (missing !== undefined) return `the certificate lacks the usage ${quote([missing])}`;
  const extra = leaf.usages.find((usage) => !asked.includes(usage));
  if (extra !== undefined) return `the certificate has the usage ${quote([extra])}, which was not requested`;
  return undefined;
}

function trustFlaw(
  leaf: CertificateView,
  others: readonly CertificateView[],
  intermediates: readonly CertificateView[],
  anchors: readonly CertificateView[],
  now: Date,
): Flaw | undefined {
  if (others.length >= MAX_CHAIN)
    return { problem: `the chain holds ${others.length + 1} certificates; at most ${MAX_CHAIN} are read` };
  const { path, problem } = provenPath(leaf, [...others, ...intermediates], anchors, now);
  if (problem === undefined) return undefined;
  const forbidden = path && constraintsProblem(rulesOf(path.slice(1)).constraints, leaf);
  if (forbidden?.problem === problem) return forbidden;
  if (path !== undefined) return { problem };
  return {
    problem: `the certificate, issued by ${quote([leaf.issuerText])}, does not chain to the authority's CA: ${problem}`,
    isOfAnotherCa: true,
  };
}

function provenPath(
  leaf: CertificateView,
  others: readonly CertificateView[],
  anchors: readonly CertificateView[],
  now: Date,
): LeafPath {
  return findPath(leaf, others, anchors, now, (path) => {
    const issuers = path.slice(1);
    const outlived = issuers.find((issuer) => leaf.notAfter > issuer.notAfter);
    if (outlived !== undefined) return `the certificate outlives its issuer ${quote([outlived.subjectText])}`;
    const { problem, constraints } = rulesOf(issuers);
    return (
      problem ??
      mistakenAnchor(asChild(leaf), issuers) ??
      datesProblem(issuers, now) ??
      constraintsProblem(constraints, leaf)?.problem
    );
  });
}

function endProblem(leaf: CertificateView, { notAfterLimit, goodUntil, now }: Expected): string | undefined {
  if (leaf.notAfter < leaf.notBefore) return 'the certificate ends before it begins';
  if (leaf.notAfter < now) return `the certificate has expired at ${leaf.notAfter.toISOString()}`;
  if (notAfterLimit !== undefined && leaf.notAfter > notAfterLimit) {
    return `the certificate ends at ${leaf.notAfter.toISOString()}, later than ${notAfterLimit.toISOString()}`;
  }
  if (goodUntil !== undefined && leaf.notAfter < goodUntil)
    return `the certificate ends at ${leaf.notAfter.toISOString()}, too soon to be renewed before`;
  return undefined;
}

/** A revocation names a serial number, so two certificates must not share one (RFC 5280 section 4.1.2.2). */
function serialProblem(leaf: CertificateView, { usedSerials = [] }: Expected): string | undefined {
  return usedSerials.includes(leaf.serialNumber)
    ? `the certificate has the serial number of an earlier one, ${leaf.serialNumber}`
    : undefined;
}

// Last, so that a certificate which is waited for is right in all else.
function beginFlaw(leaf: CertificateView, { now, maxAheadMs = MAX_AHEAD_MS }: Expected): Flaw | undefined {
  const ahead = leaf.notBefore.getTime() - now.getTime();
  if (ahead <= 0) return undefined;
  const problem = `the certificate is not valid before ${leaf.notBefore.toISOString()}`;
  return ahead <= maxAheadMs ? { problem, validInMs: ahead } : { problem };
}

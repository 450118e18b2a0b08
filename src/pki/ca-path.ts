import { CaError, type CaFlaw } from './ca-error.ts';
import type { CertificateView } from './certificate.ts';
import type { CertificateStore } from './certificate-store.ts';
import { constraintsProblem, policiesToCopy } from './constraints/constraints.ts';
import { keyIdOfCa } from './issue.ts';
import { whyNoIssuer } from './missing-issuer.ts';
import { encodeName } from './name.ts';
import { type Child, datesProblem, mistakenAnchor, nameOf, TOO_MANY } from './path.ts';
import { isAboutNames, rulesOf } from './path-rules.ts';
import { isValidAt, type Path, PathSearch } from './path-search.ts';
import { NO_NAMES } from './san.ts';
import { type Effort, isSelfIssued, isSelfSigned, newEffort } from './signed-by.ts';
import { remedy } from './strict.ts';

/** What every client needs; its names are its own. */
const CLIENT = { subject: {}, subjectDer: encodeName({}), names: NO_NAMES, usages: ['client auth'] };

interface Terms {
  readonly place: string;
  /** The certificates of tls.crt. */
  readonly given: readonly CertificateView[];
  readonly partialChain: boolean;
  readonly now: Date;
  /** Why ca.crt could not be read. */
  readonly unreadRoots: string | undefined;
}

/** A key has as many certificates as its CA was renewed and cross-signed. */
const MOST_SIGNERS = 10;
/** Cross-signed CAs multiply paths. */
const MOST_PATHS = 16;

/**
 * The path of a CA to what verifiers trust: from one of its certificates up to a self-signed one. Among several good
 * ones the one that ends last is taken, as RFC 4158 section 3.5 weighs them. Throws a CaError where none is good.
 */
export function chooseChain(signers: readonly CertificateView[], store: CertificateStore, terms: Terms): Path {
  const effort = newEffort();
  const refusals: CaError[] = [];
  const good: Path[] = [];
  const preferred = [...signers].sort((one, other) => longestFirst(one, other, terms.now)).slice(0, MOST_SIGNERS);
  for (const signer of preferred) {
    const refusal = unfit(signer, terms) ?? climb(signer, store, effort, terms, good);
    if (refusal !== undefined) refusals.push(refusal);
  }
  const best = good.sort((one, other) => endOfPath(other) - endOfPath(one) || one.length - other.length)[0];
  if (best !== undefined) return best;
  throw refusals[0] ?? new CaError('BrokenChain', `${terms.place}, key tls.crt: there is no path to a root`);
}

function longestFirst(one: CertificateView, other: CertificateView, now: Date): number {
  return (
    Number(isValidAt(other, now)) - Number(isValidAt(one, now)) || other.notAfter.getTime() - one.notAfter.getTime()
  );
}

function endOfPath(path: Path): number {
  return Math.min(...path.map(({ notAfter }) => notAfter.getTime()));
}

/** Adds the good paths, or says why there is none. */
function climb(
  signer: CertificateView,
  store: CertificateStore,
  effort: Effort,
  terms: Terms,
  good: Path[],
): CaError | undefined {
  const { place, partialChain, now, unreadRoots } = terms;
  const search = new PathSearch({ pool: store, isTop: isSelfSigned, now }, effort);
  let problem: { readonly text: string; readonly key: string } | undefined;
  let found = 0;
  for (const path of search.from(signer)) {
    const wrong = problemOf(path, now);
    if (wrong === undefined) good.push(path);
    if (wrong !== undefined) problem ??= { text: wrong, key: keyOf(wrong, path, terms) };
    found += 1;
    if (found === MOST_PATHS) break;
  }
  if (problem !== undefined) return new CaError('BrokenChain', `${place}, key ${problem.key}: ${problem.text}`);
  if (found > 0) return undefined;
  if (search.isExhausted) return refusal('BrokenChain', place, TOO_MANY);
  const { deadEnd = [signer] } = search;
  const wrong = partialChain ? problemOf(deadEnd, now) : undefined;
  if (partialChain && wrong === undefined) {
    good.push(deadEnd);
    return undefined;
  }
  if (wrong !== undefined) return refusal('BrokenChain', place, wrong);
  if (unreadRoots !== undefined) return new CaError('MissingIssuer', unreadRoots);
  return new CaError('MissingIssuer', `${place}, ${whyNoIssuer(deadEnd.at(-1) ?? signer, store, place)}`);
}

/** The key of the Secret that holds the certificate which the problem names. */
function keyOf(problem: string, path: Path, { given }: Terms): string {
  const named = path.find((each) => problem.includes(nameOf(each)));
  const isGiven = given.some(({ fingerprintSHA256 }) => fingerprintSHA256 === named?.fingerprintSHA256);
  return named === undefined || isGiven ? 'tls.crt' : 'ca.crt';
}

/** Why no client of the CA could be verified by this path. */
function problemOf(path: Path, now: Date): string | undefined {
  const { problem, constraints } = rulesOf(path);
  const forbidden = constraintsProblem(constraints, { ...CLIENT, policies: policiesToCopy(constraints) });
  return (
    problem ??
    mistakenAnchor(leafOf(path), path) ??
    datesProblem(path, now) ??
    (forbidden && !isAboutNames(forbidden.field) ? forbidden.problem : undefined)
  );
}

/** What a leaf says of the CA that signs it. */
function leafOf([signer]: Path): Child {
  return {
    issuerDer: signer?.subjectDer ?? Buffer.alloc(0),
    authorityKeyId: signer && keyIdOfCa(signer).toString('hex'),
    authorityCertIssuer: undefined,
    authorityCertSerial: undefined,
    signatureKind: signer?.keySpec?.algorithm,
  };
}

function becomeCA(certificate: CertificateView): string {
  return isSelfIssued(certificate)
    ? `make a CA certificate of the same key with: ${remedy(certificate)}`
    : `have ${certificate.issuerText} sign it again with basicConstraints=critical,CA:TRUE and keyUsage=critical,keyCertSign,cRLSign`;
}

function unfit(certificate: CertificateView, { place, now }: Terms): CaError | undefined {
  const name = nameOf(certificate);
  const { isCA, certSign, notBefore, notAfter } = certificate;
  if (!isCA)
    return refusal(
      'NotACa',
      place,
      `${name} is not a CA: its basic constraints lack CA:TRUE; put the certificate and the key of the CA itself there, or ${becomeCA(certificate)}`,
    );
  if (certSign === false)
    return refusal(
      'NotACa',
      place,
      `${name} is not a CA: its key usage lacks keyCertSign; have it signed again with keyUsage=critical,keyCertSign,cRLSign`,
    );
  if (certificate.subjectText === '') return refusal('NotACa', place, 'the CA certificate has no subject');
  if (now > notAfter)
    return refusal(
      'Expired',
      place,
      `${name} has expired at ${notAfter.toISOString()}; put a renewed certificate there: with the same key nothing is issued anew`,
    );
  if (now < notBefore)
    return refusal(
      'NotYetValid',
      place,
      `${name} is not valid before ${notBefore.toISOString()}; it is used from then on`,
    );
  return undefined;
}

function refusal(flaw: CaFlaw, place: string, problem: string): CaError {
  return new CaError(flaw, `${place}, key tls.crt: ${problem}`);
}

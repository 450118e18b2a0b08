import { Ascent, type Surroundings } from './ascent.ts';
import { CaError, type CaFlaw } from './ca-error.ts';
import type { CertificateView } from './certificate.ts';
import type { CertificateStore } from './certificate-store.ts';
import { nameOf } from './path.ts';
import { isValidAt, type Path } from './path-search.ts';
import { costOfSigning, type Effort, isSelfIssued, newEffort } from './signed-by.ts';
import { remedy } from './x509-strict.ts';

export interface Terms extends Surroundings {
  /** What only a signature of the CA's key shows to be wrong with a path. */
  readonly trial: (path: Path) => Promise<CaError | undefined>;
}

/**
 * The path of a CA to what verifiers trust: from one of its certificates up to a self-signed one. Among several good
 * ones the one that ends last is taken, as RFC 4158 section 3.5 weighs them. Throws a CaError where none is good.
 */
export async function chooseChain(
  signers: readonly CertificateView[],
  store: CertificateStore,
  terms: Terms,
): Promise<Path> {
  const effort = newEffort();
  const preferred = [...signers].sort((one, other) => longestFirst(one, other, terms.now));
  const begun = preferred.map((signer) => unfit(signer, terms) ?? new Ascent(signer, store, effort, terms));
  const ascents = begun.filter((each) => each instanceof Ascent);
  // In turn: the many paths of one certificate leave effort for the others.
  for (let climbing = ascents; climbing.length > 0; ) climbing = climbing.filter((each) => each.advance());
  const good = ascents.flatMap((each) => each.good);
  good.sort((one, other) => endOfPath(other) - endOfPath(one) || one.length - other.length);
  const chosen = await firstProven(good, effort, terms);
  if (chosen !== undefined && !(chosen instanceof CaError)) return chosen;
  const [refused] = begun.flatMap((each) => (each instanceof Ascent ? (each.refusal ?? []) : each));
  throw chosen ?? refused ?? new CaError('BrokenChain', `${terms.place}, key tls.crt: there is no path to a root`);
}

/** The first path that passes its trial, or why the first one doesn't. */
async function firstProven(
  good: readonly Path[],
  effort: Effort,
  { trial }: Terms,
): Promise<Path | CaError | undefined> {
  let first: CaError | undefined;
  for (const path of good) {
    const refused = await trial(path);
    if (refused === undefined) return path;
    first ??= refused;
    effort.costLeft -= costOfSigning(path[0]);
    if (effort.costLeft < 0) break;
  }
  return first;
}

function longestFirst(one: CertificateView, other: CertificateView, now: Date): number {
  return (
    Number(isValidAt(other, now)) - Number(isValidAt(one, now)) || other.notAfter.getTime() - one.notAfter.getTime()
  );
}

function endOfPath(path: Path): number {
  return Math.min(...path.map(({ notAfter }) => notAfter.getTime()));
}

function becomeCA(certificate: CertificateView): string {
  return isSelfIssued(certificate)
    ? `make a CA certificate of the same key with: ${remedy(certificate)}`
    : `have ${certificate.issuerText} sign it again with basicConstraints=critical,CA:TRUE and keyUsage=critical,keyCertSign,cRLSign`;
}

function unfit(certificate: CertificateView, { place, now }: Surroundings): CaError | undefined {
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

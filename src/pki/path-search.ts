import type { CertificateView } from './certificate.ts';
import { type Effort, isIssuedBy, isSelfIssued, isSelfSigned, newEffort } from './signed-by.ts';

/** Real chains have three or four certificates. */
export const MAX_CHAIN = 10;

/** Leaf or signer first, each signed by the next one. */
export type Path = readonly CertificateView[];

export interface Climb {
  /** Certificates that may stand above another, see `poolOf`. */
  readonly pool: Pool;
  /** Whether a path may end with this certificate. */
  readonly isTop: (certificate: CertificateView, effort: Effort) => boolean;
  /** Decides between issuers of one name: one that is valid then goes first. */
  readonly now: Date | undefined;
}

/** The certificates that carry a subject, as DER. */
export interface Pool {
  named(subjectDer: Buffer): readonly CertificateView[];
}

/** Without duplicates. */
export function poolOf(certificates: readonly CertificateView[]): Pool {
  const bySubject = new Map<string, Map<string, CertificateView>>();
  for (const each of certificates) {
    const subject = each.subjectDer.toString('latin1');
    const same = bySubject.get(subject) ?? new Map<string, CertificateView>();
    if (!same.has(each.fingerprintSHA256)) same.set(each.fingerprintSHA256, each);
    bySubject.set(subject, same);
  }
  return { named: (subjectDer) => [...(bySubject.get(subjectDer.toString('latin1'))?.values() ?? [])] };
}

/**
 * Climbs from a certificate to its possible tops (RFC 4158): one bounded search for everything that reads a chain. What
 * can't be found within the effort isn't found, and `isExhausted` says so.
 */
export class PathSearch {
  readonly #climb: Climb;
  readonly #effort: Effort;
  /** The first path that came to no top and no further. */
  deadEnd: Path | undefined;

  /** Searches that belong to one answer share their effort. */
  constructor(climb: Climb, effort: Effort = newEffort()) {
    this.#climb = climb;
    this.#effort = effort;
  }

  get isExhausted(): boolean {
    return this.#effort.costLeft < 0 || this.#effort.stepsLeft < 0;
  }

  /** Paths in order of preference, each searched for when it is asked for. */
  *from(start: CertificateView): Generator<Path> {
    yield* this.#extend([start]);
  }

  *#extend(path: Path): Generator<Path> {
    const tip = path.at(-1);
    this.#effort.stepsLeft -= 1;
    if (tip === undefined || this.#effort.stepsLeft < 0) return;
    const isTop = this.#climb.isTop(tip, this.#effort);
    // Verifiers that come to a certificate which signed itself stop there, trusted or not.
    const endsHere = path.length >= MAX_CHAIN || isSelfSigned(tip, this.#effort);
    let found = isTop;
    for (const issuer of endsHere ? [] : this.#issuersOf(tip)) {
      // Cross-signed CAs would lead round in circles.
      if (path.some((each) => each.fingerprintSHA256 === issuer.fingerprintSHA256)) continue;
      if (!isIssuedBy(tip, issuer, this.#effort)) continue;
      found = true;
      yield* this.#extend([...path, issuer]);
    }
    // A root above it is the better end: more verifiers accept that one.
    if (isTop) yield path;
    if (!found) this.deadEnd ??= path;
  }

  #issuersOf(tip: CertificateView): readonly CertificateView[] {
    const { pool, now } = this.#climb;
    return [...pool.named(tip.issuerDer)].sort((one, other) => byPreference(one, other, now));
  }
}

/** Valid ones first, then roots, then those that end last; equal ones always in the same order. */
function byPreference(one: CertificateView, other: CertificateView, now: Date | undefined): number {
  return (
    rank(other, now) - rank(one, now) ||
    other.notAfter.getTime() - one.notAfter.getTime() ||
    (one.fingerprintSHA256 < other.fingerprintSHA256 ? -1 : 1)
  );
}

function rank(certificate: CertificateView, now: Date | undefined): number {
  return (isValidAt(certificate, now) ? 2 : 0) + (isSelfIssued(certificate) ? 1 : 0);
}

export function isValidAt({ notBefore, notAfter }: CertificateView, now: Date | undefined): boolean {
  return now === undefined || (notBefore <= now && now <= notAfter);
}

import { CaError } from './ca-error.ts';
import type { CertificateView } from './certificate.ts';
import type { CertificateStore } from './certificate-store.ts';
import { constraintsProblem, policiesToCopy } from './constraints/constraints.ts';
import { keyIdOfCa } from './issue.ts';
import { whyNoIssuer } from './missing-issuer.ts';
import { encodeName } from './name.ts';
import { type Child, datesProblem, mistakenAnchor, nameOf, TOO_MANY } from './path.ts';
import { isAboutNames, rulesOf } from './path-rules.ts';
import { type Path, PathSearch } from './path-search.ts';
import { NO_NAMES } from './san.ts';
import { type Effort, isSelfSigned } from './signed-by.ts';

/** What every client needs; its names are its own. */
const CLIENT = { subject: {}, subjectDer: encodeName({}), names: NO_NAMES, usages: ['client auth'] };

export interface Surroundings {
  readonly place: string;
  /** The certificates of tls.crt. */
  readonly given: readonly CertificateView[];
  readonly partialChain: boolean;
  readonly now: Date;
  /** Why ca.crt could not be read. */
  readonly unreadRoots: string | undefined;
}

/** Cross-signed CAs multiply paths, and a few good ones are enough to choose from. */
const MOST_GOOD = 16;

/** The climb from one certificate of a CA to what verifiers trust, one path at a time. */
export class Ascent {
  readonly good: Path[] = [];
  readonly #signer: CertificateView;
  readonly #store: CertificateStore;
  readonly #effort: Effort;
  readonly #around: Surroundings;
  readonly #search: PathSearch;
  readonly #paths: Generator<Path>;
  /** What is wrong with the first path that isn't good. */
  #refusal: CaError | undefined;

  constructor(signer: CertificateView, store: CertificateStore, effort: Effort, around: Surroundings) {
    this.#signer = signer;
    this.#store = store;
    this.#effort = effort;
    this.#around = around;
    this.#search = new PathSearch({ pool: store, isTop: isSelfSigned, now: around.now }, effort);
    this.#paths = this.#search.from(signer);
  }

  /** Judges the next path. Returns whether there may be more. */
  advance(): boolean {
    const { done, value: path } = this.#paths.next();
    if (done) {
      if (!this.#hasFound) this.#end();
      return false;
    }
    const { place, now } = this.#around;
    this.#effort.costLeft -= costOfJudging(path);
    const problem = problemOf(path, now);
    if (problem === undefined) this.good.push(path);
    else this.#refusal ??= refusal(`${place}, key ${keyOf(problem, path, this.#around)}: ${problem}`);
    return this.good.length < MOST_GOOD && !this.#search.isExhausted;
  }

  /** Why the certificate has no good path. */
  get refusal(): CaError | undefined {
    if (this.good.length > 0) return undefined;
    return this.#refusal ?? refusal(`${this.#around.place}, key tls.crt: ${TOO_MANY}`);
  }

  get #hasFound(): boolean {
    return this.good.length > 0 || this.#refusal !== undefined;
  }

  /** Without any path to a root. */
  #end(): void {
    if (this.#search.isExhausted) return;
    const { place, partialChain, now, unreadRoots } = this.#around;
    const { deadEnd = [this.#signer] } = this.#search;
    const problem = partialChain ? problemOf(deadEnd, now) : undefined;
    if (problem !== undefined) this.#refusal = refusal(`${place}, key tls.crt: ${problem}`);
    else if (partialChain) this.good.push(deadEnd);
    else {
      const missing = unreadRoots ?? `${place}, ${whyNoIssuer(deadEnd.at(-1) ?? this.#signer, this.#store, place)}`;
      this.#refusal = new CaError('MissingIssuer', missing);
    }
  }
}

function refusal(message: string): CaError {
  return new CaError('BrokenChain', message);
}

/** Java's merge compares the subtrees of one CA with those of another, up to a bound of its own. */
const MOST_COMPARISONS = 20_000;
const COMPARISONS_OF_ONE_COST = 50;
const SUBTREES_OF_ONE_COST = 5;

/** In the unit of Effort: little, but for CAs with many name constraints. */
function costOfJudging(path: Path): number {
  const subtrees = path.reduce(
    (sum, { nameConstraints }) =>
      sum + (nameConstraints ? nameConstraints.permitted.length + nameConstraints.excluded.length : 0),
    0,
  );
  const comparisons = Math.min(subtrees ** 2, MOST_COMPARISONS);
  return path.length + Math.ceil(subtrees / SUBTREES_OF_ONE_COST + comparisons / COMPARISONS_OF_ONE_COST);
}

/** The key of the Secret that holds the certificate which the problem names. */
function keyOf(problem: string, path: Path, { given }: Surroundings): string {
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

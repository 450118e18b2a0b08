import { authorityKey } from '../api/certificate-authority.ts';
import { toSeconds } from '../api/moments.ts';
import { type CaPair, type CaPath, caPath } from '../pki/ca.ts';
import type { CaSigner } from '../pki/ca-signer.ts';
import { nameOf } from '../pki/path.ts';
import type { Aside } from '../pki/signer.ts';
import type { Run } from '../queue/controller.ts';
import { reportable, type Trouble, troubleOf } from '../trouble.ts';
import type { Rotating, RotationDeps } from './deps.ts';
import {
  endOf,
  type Generation,
  holdsKey,
  isPremature,
  isPresent,
  mayHaveSigned,
  signingGeneration,
  signingOf,
  sourceOf,
  wasMadeSince,
} from './generation.ts';
import { namesakeProblem } from './namesake.ts';
import { narrowedProblem } from './narrowed.ts';
import { rolledBack } from './roll-back.ts';
import { isFull, MOST_IN_USE } from './superseded.ts';
import { anchorsToFollow } from './trusted.ts';

/** A CA that is to sign: with a key that is at hand, or at the machine that holds it and calls it so. */
export interface Candidate extends CaPath {
  readonly signer?: CaSigner | undefined;
  readonly issuerRef?: string | undefined;
}

/** The CA that is to sign, and the version that it would get as a new generation. */
export interface Source {
  readonly pair: Candidate | undefined;
  readonly version: number;
  readonly trouble: Trouble | undefined;
}

/** The CA that is to sign, from wherever this authority has it. */
export async function readSource(
  runtime: Rotating,
  version: number,
  deps: Pick<RotationDeps, 'consumers' | 'clock' | 'log' | 'slowWork'>,
  run: Run,
  rotateAt?: Date,
): Promise<Source> {
  const { generations } = runtime;
  const { consumers, clock, log } = deps;
  // What the other machine says is trusted anyway, as it is.
  if (sourceOf(runtime) === undefined) {
    const pair = nextAnchor(runtime);
    return { pair, version, trouble: tooMany(pair, generations, generations.find(mayHaveSigned)) };
  }
  try {
    const pair = await candidateOf(runtime, version, deps, run, rotateAt);
    if (pair === undefined) return { pair, version, trouble: undefined };
    const served = () => consumers(runtime.resource);
    const problem =
      namesakeProblem(pair, generations) ?? (await narrowedProblem(pair, generations, served, clock.now()));
    if (problem !== undefined)
      return { pair: undefined, version, trouble: { code: 'CAPairRefused', message: problem } };
    return { pair, version, trouble: tooMany(pair, generations, signingOf(runtime, clock.now())) };
  } catch (thrown) {
    return { pair: undefined, version, trouble: troubleOf(reportable(thrown, log)) };
  }
}

/** Why a CA has to wait before it becomes a generation. */
function tooMany(
  pair: Candidate | undefined,
  generations: readonly Generation[],
  signing: Generation | undefined,
): Trouble | undefined {
  if (pair === undefined || !isFull(generations, signing) || generations.some(({ path }) => path.id === pair.id))
    return undefined;
  const message = `${nameOf(pair.certificate)} becomes no CA generation while ${generations.length} are in use, and ${MOST_IN_USE} may be: the CA of this authority changes faster than its certificates are re-issued and spec.caRotation.retireAfter passes`;
  return { code: 'CAPairRefused', message };
}

/** The first CA certificate that another machine may sign below, and that is no generation yet. */
function nextAnchor(runtime: Rotating): Candidate | undefined {
  const { definition, generations } = runtime;
  const present = generations.filter((each) => isPresent(each, definition.type));
  const known = new Set(present.map(({ path }) => path.id));
  return anchorsToFollow(runtime)
    ?.map((each) => caPath([each]))
    .find(({ id }) => !known.has(id));
}

async function candidateOf(
  runtime: Rotating,
  version: number,
  { clock, slowWork }: Pick<RotationDeps, 'clock' | 'slowWork'>,
  { signal, releaseWorker }: Run,
  rotateAt: Date | undefined,
): Promise<Candidate | undefined> {
  const { backend, generations, trusted } = runtime;
  if (backend.keyPair === undefined) {
    if (trusted.refusal !== undefined) throw trusted.refusal;
    return trusted.offered && { ...trusted.offered.path, issuerRef: trusted.offered.ref };
  }
  const present = generations.filter((each) => isPresent(each, sourceOf(runtime)));
  const { latest, held } = latestPair(present, backend.makesCA === true, rotateAt, clock.now());
  if (held !== undefined) return held;
  const key = authorityKey(runtime.resource);
  const aside: Aside = (work) => releaseWorker(() => slowWork.run(key, undefined, work, signal));
  return backend.keyPair(latest, version, signal, aside);
}

/**
 * The pair after which a backend makes the next one. Where Certwheel makes the CA, none is made after one that was rolled
 * back until its end is near or it is asked for; `rotateAt` is when that was, and what was made since then answers it.
 * `held` is the pair that signs on where the one that was rolled back is gone, so that none may be made.
 */
function latestPair(
  present: readonly Generation[],
  makesCA: boolean,
  rotateAt: Date | undefined,
  now: Date,
): { readonly latest?: CaPair | undefined; readonly held?: CaPair | undefined } {
  const able = present
    .filter(holdsKey)
    .filter((each) => !isPremature(each, now))
    .sort((one, other) => other.version - one.version);
  const pairOf = (each: (typeof able)[number] | undefined) => each && { ...each.path, signer: each.signer };
  if (!makesCA) return { latest: pairOf(able[0]) };
  // By the clock that sets the moments of CA certificates; that of the API server may be another.
  const isDue = rotateAt !== undefined && toSeconds(rotateAt) <= toSeconds(now);
  const signing = signingGeneration(able, now);
  if (isDue && !wasMadeSince(able, signing, rotateAt)) return {};
  const isRejected = rolledBack(signing);
  const [newest] = able;
  const wanted = able.find((each) => !isRejected(each));
  if (signing === undefined || now >= replacedBy(signing)) return { latest: pairOf(wanted) };
  if (newest !== undefined && isRejected(newest)) return { latest: pairOf(newest) };
  return wanted === signing && signing.rejects.length > 0 ? { held: pairOf(wanted) } : { latest: pairOf(wanted) };
}

/** When too little is left of a CA to hold its successor off. */
function replacedBy({ path }: Generation): Date {
  const beginMs = path.certificate.notBefore.getTime();
  return new Date(beginMs + ((endOf(path).getTime() - beginMs) * 5) / 6);
}

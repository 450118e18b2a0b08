import type { CertificateView } from '../pki/certificate.ts';
import type { Rotating } from './deps.ts';
import { isInBundle, mayHaveSigned, sourceOf } from './generation.ts';

type Known = Pick<Rotating, 'backend' | 'definition' | 'trusted' | 'stated' | 'generations'>;

/** More CA certificates than this are a collection, such as that of an operating system, and are trusted without gates. */
const MOST_ANCHORS = 16;

/**
 * What verifiers must accept at this moment: what the backend says, and each generation until no certificate of it is left.
 * Nothing while that isn't known: what is known alone would look like all there is.
 */
export function trustedNow({ backend, trusted, generations }: Known): readonly CertificateView[] {
  const ofGenerations = generations.filter(isInBundle).map(({ path }) => path.anchor);
  // With the key at hand, a generation is all there is to know.
  if (backend.keyPair !== undefined) return ofGenerations;
  const { anchors, offered, isStatedWithAnswers = false } = trusted;
  if (anchors.length === 0 && offered === undefined && !isStatedWithAnswers) return [];
  const known = new Set(anchors.map(({ fingerprintSHA256 }) => fingerprintSHA256));
  return [...anchors, ...ofGenerations.filter((each) => !known.has(each.fingerprintSHA256))];
}

/**
 * The CA certificates that are generations, or are to become some, where another machine alone decides which CA signs.
 * Undefined where they aren't known, or are too many to be followed.
 */
export function anchorsToFollow(runtime: Known): readonly CertificateView[] | undefined {
  if (sourceOf(runtime) !== undefined) return undefined;
  const { anchors, isStatedWithAnswers = false } = runtime.trusted;
  const all = isStatedWithAnswers ? runtime.stated : anchors;
  return all.length === 0 || all.length > MOST_ANCHORS ? undefined : all;
}

/**
 * Fingerprints of the anchors of which certificates may be published, where another machine alone decides which CA signs;
 * undefined where that may be any of them.
 */
export function usableAnchors(runtime: Known): ReadonlySet<string> | undefined {
  if (sourceOf(runtime) !== undefined || runtime.trusted.anchors.length > MOST_ANCHORS) return undefined;
  const usable = runtime.generations.filter(mayHaveSigned).map(({ path }) => path.anchor.fingerprintSHA256);
  return usable.length === 0 ? undefined : new Set(usable);
}

/** See AuthorityView.leaving. While no other is Active, nothing could come in the place of what leaves. */
export function leavingAnchors(runtime: Known): { anchors: ReadonlySet<string>; since: Date } | undefined {
  const { generations } = runtime;
  if (sourceOf(runtime) !== undefined || !generations.some(({ state }) => state === 'Active')) return undefined;
  const leaving = generations.filter(({ state }) => state === 'Retiring');
  if (leaving.length === 0) return undefined;
  const since = new Date(Math.max(...leaving.map((each) => each.since.getTime())));
  return { anchors: new Set(leaving.map(({ path }) => path.anchor.fingerprintSHA256)), since };
}

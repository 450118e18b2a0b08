import { type CertificateView, distinct } from '../pki/certificate.ts';
import type { Rotating } from './deps.ts';
import { type Generation, isInBundle, isLeaving, isPresent, mayHaveSigned, sourceOf } from './generation.ts';

type Known = Pick<
  Rotating,
  'backend' | 'definition' | 'trusted' | 'stated' | 'generations' | 'alternating' | 'fallback'
>;

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

/** The same; where there is a fallback, what was known last counts on while the authority can't be asked. */
export function ownTrust(runtime: Known): readonly CertificateView[] {
  const known = trustedNow(runtime);
  if (known.length > 0 || runtime.fallback === undefined) return known;
  const { own } = runtime.fallback;
  return own.length > 0 ? own : runtime.generations.filter(isInBundle).map(({ path }) => path.anchor);
}

/** What is to be in every ca.crt: the authority's own, and that of its fallback. Empty while its own isn't known. */
export function publishedTrust(runtime: Known): readonly CertificateView[] {
  const own = ownTrust(runtime);
  const { further = [] } = runtime.fallback ?? {};
  return own.length === 0 || further.length === 0 ? own : distinct([...own, ...further]);
}

/**
 * The CA certificates that are generations, or are to become some, where another machine alone decides which CA signs.
 * Undefined where they aren't known, or are too many to be followed.
 */
export function anchorsToFollow(runtime: Known): readonly CertificateView[] | undefined {
  if (sourceOf(runtime) !== undefined) return undefined;
  const stated = statedNow(runtime);
  const known = new Set(stated.map(({ fingerprintSHA256 }) => fingerprintSHA256));
  const { alternating = [] } = runtime;
  const others = alternating.filter(({ fingerprintSHA256 }) => !known.has(fingerprintSHA256));
  const room = Math.max(0, MOST_ANCHORS - stated.length);
  const all = stated.length === 0 ? [] : [...stated, ...others.slice(0, room)];
  return all.length === 0 || all.length > MOST_ANCHORS ? undefined : all;
}

/**
 * What another machine states last; none where that isn't known. One that states it with each certificate has told nothing to
 * this process before the first one; the generations that did not leave by then are what it told to the process before.
 */
export function statedNow({
  trusted,
  stated,
  generations,
  definition,
}: Pick<Known, 'trusted' | 'stated' | 'generations' | 'definition'>): readonly CertificateView[] {
  if (trusted.isStatedWithAnswers !== true) return trusted.anchors;
  if (stated.length > 0) return stated;
  const isKept = (each: Generation) => isPresent(each, definition.type) && !isLeaving(each);
  return generations.filter(isKept).map(({ path }) => path.anchor);
}

/**
 * Fingerprints of the anchors whose certificates may be published now or later: those that another machine states, and all
 * generations. Undefined where that isn't known.
 */
export function followedAnchors(runtime: Known): ReadonlySet<string> | undefined {
  const stated = sourceOf(runtime) === undefined ? statedNow(runtime) : [];
  if (stated.length === 0) return undefined;
  const { trusted, alternating = [], generations } = runtime;
  const all = [...stated, ...trusted.anchors, ...alternating, ...generations.map(({ path }) => path.anchor)];
  return new Set(all.map(({ fingerprintSHA256 }) => fingerprintSHA256));
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

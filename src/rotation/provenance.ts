import type { CAGeneration } from '../api/generated/types.ts';
import type { Generation } from './generation.ts';
import type { GenerationSecret } from './generation-secret.ts';
import type { Member } from './plan-types.ts';
import { readGenerations } from './read-generations.ts';

/** The Secrets that claim to keep CA generations of one authority, by where they come from. */
export interface Provenance {
  /** Those that this controller made, or adopted; nothing else is trusted. */
  readonly own: readonly GenerationSecret[];
  /** Those that appeared from outside: from a backup, a replicator, a GitOps tool, or a person. */
  readonly foreign: readonly GenerationSecret[];
  readonly generations: readonly Generation[];
  /** The first thing that is wrong with one of its own, as a sentence. */
  readonly problem: string | undefined;
}

/** What speaks against, and for, generations that carry no mark. */
export interface Evidence {
  /** The generations of the status. It is output, so that it may take away and never grant. */
  readonly reported: readonly Pick<CAGeneration, 'version' | 'state' | 'fingerprintSHA256'>[];
  members(): readonly Member[];
}

/**
 * A Secret is the authority's own if a mark names its uid that is whole itself. Where no mark is whole, they were written
 * by a version without marks, or restored together with their authority: then they are adopted.
 */
export async function provenanceOf(
  stored: readonly GenerationSecret[],
  evidence: Evidence,
  now: Date,
): Promise<Provenance> {
  // What holds no key grants nothing, and waits for the next one.
  const claims = stored.filter(({ isBlank }) => !isBlank);
  const marked = markedAmong(claims);
  if (marked.length > 0) {
    const { generations, problem } = await readGenerations(marked, now);
    return { own: marked, foreign: without(claims, marked), generations: compared(generations, marked), problem };
  }
  const { generations, problem } = await readGenerations(claims, now);
  const isRead = ({ secret }: GenerationSecret) => generations.some((each) => each.secret.uid === secret.uid);
  const readable = claims.filter(isRead);
  const own = adoptable(readable, evidence, now);
  const uids = uidsOf(own);
  const adopted = generations.filter(({ secret }) => uids.has(secret.uid));
  const hollow = claims.filter(({ holdsKey }) => !holdsKey);
  return { own, foreign: [...without(readable, own), ...hollow], generations: adopted, problem };
}

/** One mark may vouch for another Secret, whose own mark was taken off. */
function markedAmong(claims: readonly GenerationSecret[]): readonly GenerationSecret[] {
  const whole = claims.filter(({ mark, secret }) => mark.uids.includes(secret.uid));
  const vouchedFor = new Set(whole.flatMap(({ mark }) => mark.uids));
  return claims.filter(({ secret }) => vouchedFor.has(secret.uid));
}

/** A mark that doesn't name each of the others yet is partial. */
function compared(generations: readonly Generation[], secrets: readonly GenerationSecret[]): readonly Generation[] {
  const uids = new Map(secrets.map(({ secret, mark }) => [secret.uid, mark.uids]));
  const namesAll = ({ secret }: Generation) =>
    generations.every((other) => uids.get(secret.uid)?.includes(other.secret.uid) === true);
  return generations.map((each) => (each.mark === 'whole' && !namesAll(each) ? { ...each, mark: 'partial' } : each));
}

/**
 * What nothing speaks against, and the CAs of which valid certificates are held: those were never retired, and are no copy,
 * whatever the status and the mark say. Where the status knows one of the claims to be in use, those that it doesn't know
 * came from outside.
 */
function adoptable(
  claims: readonly GenerationSecret[],
  { reported, members }: Evidence,
  now: Date,
): readonly GenerationSecret[] {
  const isToldOf = claims.some((each) => livesIn(reported, each));
  const own = claims.filter(
    (each) => !isCopy(each) && (isToldOf ? livesIn(reported, each) : !wasRetired(each, reported)),
  );
  if (own.length === claims.length) return own;
  // A restored twin of a CA that is adopted anyway is not what its certificates speak for.
  const known = new Set(own.map(fingerprintOf));
  const held = new Set(
    members().flatMap(({ issuerFingerprint, notAfter, fromStatus }) =>
      fromStatus === undefined && notAfter !== undefined && notAfter > now ? [issuerFingerprint] : [],
    ),
  );
  return claims.filter(
    (each) => own.includes(each) || (held.has(fingerprintOf(each)) && !known.has(fingerprintOf(each))),
  );
}

function isCopy({ mark, secret }: GenerationSecret): boolean {
  return mark.namespace !== undefined && mark.namespace !== secret.namespace;
}

function livesIn(reported: Evidence['reported'], claim: GenerationSecret): boolean {
  const known = reported.find(({ version }) => version === claim.version);
  return known !== undefined && known.state !== 'Retired' && isOf(known, claim);
}

/** Versions only rise, and the status keeps the highest, so what it doesn't know below them was retired long ago. */
function wasRetired(claim: GenerationSecret, reported: Evidence['reported']): boolean {
  const known = reported.find(({ version }) => version === claim.version);
  if (known === undefined) return reported.some(({ version }) => version > claim.version);
  return known.state === 'Retired' || !isOf(known, claim);
}

/** A version is given to one CA alone. */
function isOf({ fingerprintSHA256 }: Evidence['reported'][number], claim: GenerationSecret): boolean {
  return fingerprintSHA256 === undefined || fingerprintSHA256 === fingerprintOf(claim);
}

function fingerprintOf({ generation }: GenerationSecret): string | undefined {
  return generation?.path.certificate.fingerprintSHA256;
}

function uidsOf(secrets: readonly GenerationSecret[]): ReadonlySet<string> {
  return new Set(secrets.map(({ secret }) => secret.uid));
}

function without(all: readonly GenerationSecret[], some: readonly GenerationSecret[]): readonly GenerationSecret[] {
  const uids = uidsOf(some);
  return all.filter(({ secret }) => !uids.has(secret.uid));
}

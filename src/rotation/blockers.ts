import { earliest } from '../api/moments.ts';
import { isSameCa } from '../pki/ca.ts';
import { endOf, type Generation, mayHaveSigned } from './generation.ts';
import type { Member, Move, Rotation } from './plan-types.ts';
import type { TrustProof } from './trust-proof.ts';
import { haveOneKey, needsGeneration, usedUntil, usesGeneration } from './usage.ts';

/** The move that is to be made, and what decides whether it may be. */
export interface Scene {
  readonly rotation: Rotation;
  readonly move: Move;
  /** What signs now. */
  readonly signing: Generation | undefined;
  /** What is to sign, or may: it stays when others leave. */
  readonly remaining: readonly Generation[];
  readonly now: Date;
}

/** A certificate, or a place that verifiers read, for the sake of which a move waits. */
export interface Blocker {
  /** What it is called for people. */
  readonly key: string;
  /** It is waited for until then. */
  readonly until: Date;
  /** When it may block no longer, whatever is done about it. */
  readonly ends: Date | undefined;
  /** What it lacks, as the rest of a sentence. */
  readonly lacks?: string | undefined;
  /** See TrustProof. */
  readonly isUnseen?: true | undefined;
}

/** Members whose ca.crt lacks the CA that is to sign. What another CA signed is no certificate of this authority,
 * unless that is its fallback. */
export function membersWithoutTrust(scene: Scene): Blocker[] {
  const { rotation, signing, now } = scene;
  const counted = rotation.generations.filter(
    (each) => each.state !== 'Retiring' || usedUntil(each, signing, rotation.longestLifeMs) > now,
  );
  const isOurs = (member: Member) =>
    member.wantedHash !== undefined ||
    member.anchorFingerprints.some((each) => rotation.further?.has(each)) ||
    counted.some((each) => usesGeneration(member, each));
  return blockers(
    rotation.members.filter(
      (each) => isOurs(each) && each.trustBundleHash !== (each.wantedHash ?? rotation.trustBundleHash),
    ),
    (member) => memberDeadline(member, scene),
  );
}

/** Verifiers, and places that they read, that are not shown to trust the CA that is to sign. */
export function verifiersWithoutTrust(scene: Scene): Blocker[] {
  const { rotation, move, now } = scene;
  return unproven(rotation.proofs(move.generation), lastMomentFor(scene), now);
}

/**
 * Where the CRL of the CA that is to sign is not published, or not delivered: verifiers that demand one would refuse its
 * certificates. It is waited for no longer than for certificates of the authority.
 */
export function placesWithoutCrl(scene: Scene): Blocker[] {
  const { rotation, move, now } = scene;
  const deadline = deadlineAfter(move.generation, rotation.terms.progressDeadlineMs);
  return unproven(rotation.crlProofs?.(move.generation) ?? [], earliest([lastMomentFor(scene), deadline]) ?? now, now);
}

function unproven(proofs: readonly TrustProof[], until: Date, now: Date): Blocker[] {
  return proofs
    .filter(({ since }) => since === undefined || since > now)
    .map(({ subject, since, waiting, isUnseen }) => ({ key: subject, until, ends: since, lacks: waiting, isUnseen }));
}

/** One for which the CA waited no longer before it was trusted is waited for no longer afterwards. */
function deadlineAfter({ since, preparedAt }: Generation, waitMs: number): Date {
  return new Date((preparedAt ?? since).getTime() + waitMs);
}

/** Members that hold a certificate for which the CA that leaves is needed. */
export function membersInNeed(scene: Scene): Blocker[] {
  const { rotation, move, signing } = scene;
  const until = usedUntil(move.generation, signing, rotation.longestLifeMs);
  return blockers(rotation.members.filter(needs(scene)), ({ notAfter }) => earliest([notAfter, until]) as Date);
}

/** Whether one of them still counts. */
export function isNeeded(scene: Scene): boolean {
  const { rotation, move, signing, now } = scene;
  return usedUntil(move.generation, signing, rotation.longestLifeMs) > now && rotation.members.some(needs(scene));
}

function needs({ move: { generation: leaving }, remaining }: Scene): (member: Member) => boolean {
  // Where only the certificate of the CA was renewed, what the old one signed is good under the new one.
  if (remaining.some((each) => isSameCa(leaving.path, each.path))) return () => false;
  return (member) => needsGeneration(member, leaving, remaining);
}

/** Whether a generation has certificates, or may have: one that never signed has none, unless another one has its key. */
export function hasSigned(leaving: Generation, generations: readonly Generation[]): boolean {
  return mayHaveSigned(leaving) || generations.some((each) => mayHaveSigned(each) && haveOneKey(each, leaving));
}

/** Each replica knows the members in an order of its own, and they stand in the status. */
function blockers(members: readonly Member[], until: (member: Member) => Date): Blocker[] {
  return [...members]
    .sort((one, other) => (one.key < other.key ? -1 : 1))
    .map((member) => ({ key: member.key, until: until(member), ends: member.notAfter }));
}

function memberDeadline(member: Member, scene: Scene): Date {
  const { terms } = scene.rotation;
  const waitMs = member.namespace === terms.home ? terms.progressDeadlineMs : terms.elsewhereDeadlineMs;
  const deadline = deadlineAfter(scene.move.generation, waitMs);
  const last = lastMoment(scene);
  return last !== undefined && last < deadline ? last : deadline;
}

const DAY_MS = 24 * 3_600_000;

/** Until when a new CA may be waited for, whatever for; now where nothing signs, and nothing is held that is valid. */
export function lastMomentFor(scene: Scene): Date {
  return lastMoment(scene) ?? lastWithoutSigner(scene) ?? scene.now;
}

/**
 * The same where nothing signs, as between two backends: what is held still needs its verifiers, and can't be renewed
 * meanwhile. So half of the time counts that the first certificate had left when the new CA was prepared. Undefined where none
 * is held.
 */
function lastWithoutSigner({ rotation, move }: Scene): Date | undefined {
  const inUse = (member: Member) =>
    rotation.generations.some((each) => each !== move.generation && usesGeneration(member, each));
  const end = earliest(rotation.members.filter(inUse).map(({ notAfter }) => notAfter));
  if (end === undefined) return undefined;
  const { since, preparedAt } = move.generation;
  const beganMs = (preparedAt ?? since).getTime();
  return new Date(beganMs + (end.getTime() - beganMs) / 2);
}

/**
 * Until when a new CA may be waited for: from then on too little is left of the CA that signs. Undefined where nothing
 * signs.
 */
function lastMoment({ signing }: Scene): Date | undefined {
  if (signing === undefined) return undefined;
  const endMs = endOf(signing.path).getTime();
  const lifeMs = endMs - signing.path.certificate.notBefore.getTime();
  return new Date(endMs - Math.min(lifeMs / 10, DAY_MS));
}

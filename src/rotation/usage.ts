import { earliest } from '../api/moments.ts';
import { caKeyId, signsAlike } from '../pki/ca.ts';
import { endOf, type Generation, mayHaveSigned } from './generation.ts';
import type { Member, Rotation } from './plan-types.ts';

/**
 * The newest generation, but for the one that is to come, of which a member holds a valid certificate. Of several with one
 * key, such as the same CA below two roots, the one whose root the most members have.
 */
export function lastInUse(
  { generations, members }: Rotation,
  successor: Generation | undefined,
  now: Date,
): Generation | undefined {
  const valid = members.filter(({ fromStatus }) => fromStatus === undefined);
  const inUse = generations
    .filter((each) => each !== successor && mayHaveSigned(each) && endOf(each.path) > now)
    .filter((each) => valid.some((member) => usesGeneration(member, each)))
    .sort((one, other) => other.version - one.version);
  const [newest] = inUse;
  if (newest === undefined) return undefined;
  const rooted = (each: Generation) => valid.filter((member) => leadsTo(member, each)).length;
  return inUse.filter((each) => haveOneKey(each, newest)).sort((one, other) => rooted(other) - rooted(one))[0];
}

/**
 * Whether the certificate was signed with the key of that CA. Its Secret may hold a former certificate of the CA alone, or
 * several of one key, of which the one that lives longest reads as the issuer.
 */
export function usesGeneration(
  { issuerFingerprint, issuerKeyId, anchorFingerprints }: Member,
  generation: Generation,
): boolean {
  const { certificate, anchor } = generation.path;
  // Which CA below the anchor has signed, is the other machine's affair.
  if (isAnchorAlone(generation)) return anchorFingerprints.includes(anchor.fingerprintSHA256);
  return issuerFingerprint === certificate.fingerprintSHA256 || issuerKeyId === caKeyId(certificate);
}

/** Whether it is what verifiers trust and nothing more: another machine alone decides which CA below it signs. */
function isAnchorAlone({ path, signer, issuerRef }: Generation): boolean {
  return path.chain.length === 1 && signer === undefined && issuerRef === undefined;
}

/** Whether what one of them signed reads as signed by the other. */
export function haveOneKey(one: Pick<Generation, 'path'>, other: Pick<Generation, 'path'>): boolean {
  return signsAlike(one.path.certificate, other.path.certificate);
}

/** What leads to the root of one that remains too, above the very same certificate, doesn't need the former root. */
export function needsGeneration(member: Member, leaving: Generation, remaining: readonly Generation[]): boolean {
  return usesGeneration(member, leaving) && !remaining.some((each) => leadsTo(member, each));
}

/** Whether the certificate was signed with the key of that CA, and the root of that CA is in the ca.crt beside it. */
function leadsTo(member: Member, generation: Generation): boolean {
  return (
    usesGeneration(member, generation) && member.anchorFingerprints.includes(generation.path.anchor.fingerprintSHA256)
  );
}

/**
 * Until when a certificate can keep a CA that leaves in use, whatever its own end is. All that this one signed was signed before it
 * began to leave, so it has ended a longest life later; what ends after that was signed by another party with its key.
 */
export function usedUntil(
  leaving: Generation,
  signing: Generation | undefined,
  longestLifeMs: number | undefined,
): Date {
  // Damaged annotations count from the creation of the Secret, at which nothing begins to leave.
  const hasLeft = mayHaveSigned(leaving) && leaving.since > leaving.created;
  // It signed after it was created, so where the one that signs now began before that, the moment at which it left is lost.
  const signsSince = signing !== undefined && signing.since > leaving.created ? signing.since : undefined;
  const leavesSince = hasLeft ? leaving.since : signsSince;
  const issuedEnd =
    longestLifeMs === undefined || leavesSince === undefined
      ? undefined
      : new Date(leavesSince.getTime() + longestLifeMs);
  // A certificate never outlives the CA that signed it.
  return earliest([issuedEnd, endOf(leaving.path)]) as Date;
}

import { earliest } from '../api/moments.ts';
import { caKeyId, signsAlike } from '../pki/ca.ts';
import { endOf, type Generation, mayHaveSigned } from './generation.ts';
import type { Member, Rotation } from './plan-types.ts';

/** The newest generation, but for the one that is to come, of which a member holds a valid certificate. */
export function lastInUse(
  { generations, members }: Rotation,
  successor: Generation | undefined,
  now: Date,
): Generation | undefined {
  return generations
    .filter((each) => each !== successor && mayHaveSigned(each) && endOf(each.path) > now)
    .filter((each) => members.some((member) => member.fromStatus === undefined && usesGeneration(member, each)))
    .sort((one, other) => other.version - one.version)[0];
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
  if (!usesGeneration(member, leaving)) return false;
  const leadsTo = (each: Generation) =>
    usesGeneration(member, each) && member.anchorFingerprints.includes(each.path.anchor.fingerprintSHA256);
  return !remaining.some(leadsTo);
}

/**
 * Until when a certificate can keep a CA that leaves in use. All that this one signed was signed before it began to leave,
 * so it has ended a longest life later; what ends after that was signed by another party with its key.
 */
export function countsUntil(
  { notAfter }: Member,
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
  return earliest([notAfter, issuedEnd, endOf(leaving.path)]) as Date;
}

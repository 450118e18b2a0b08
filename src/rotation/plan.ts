import { isSameCa } from '../pki/ca.ts';
import { canSign, type Generation, isPresent, signingGeneration } from './generation.ts';
import type { Member, Plan, Rotation } from './plan-types.ts';
import { countsUntil, haveOneKey, lastInUse, needsGeneration, usesGeneration } from './usage.ts';
import { waitForMembers } from './wait.ts';

/**
 * A CA swap in three steps, each of which waits until it can hurt no workload:
 * 1. the new CA goes into every ca.crt (Prepared);
 * 2. once all have it and had time to load it, it signs (Active), and the certificates of the old one are re-issued;
 * 3. once none of them is left and all had time to load theirs, the old one leaves the bundle (Retired).
 *
 * A certificate that has expired counts for nothing, nor does one that ends after all that a leaving CA can have signed.
 * Generations that another backend brought don't sign any more, and leave like an old one. One without a signer is trusted
 * and leaves like any other, and is never made to sign.
 */
export function planRotation(all: Rotation, now: Date): Plan {
  const rotation = { ...all, members: all.members.filter(({ notAfter }) => notAfter !== undefined && notAfter > now) };
  const { generations, wanted, source } = rotation;
  const present = generations.filter((each) => isPresent(each, source));
  const former = generations.filter((each) => !present.includes(each));
  const able = present.filter(canSign);
  const signing = signingGeneration(present, now);
  const settled = { waitingFor: [], leftBehind: [], clearSince: new Map<string, Date>() };
  const wantedOnes = able.filter(({ path }) => path.id === wanted);
  // A Secret that was restored by hand may keep the same pair again.
  const successor = wantedOnes.find((each) => each === signing) ?? wantedOnes[0];

  // Only damaged marks leave nothing that signs while certificates of a good CA are about: they decide which one it was.
  const forgotten = signing === undefined ? lastInUse({ ...rotation, generations: able }, successor, now) : undefined;
  if (forgotten !== undefined) return { ...settled, step: { do: 'move', generation: forgotten, to: 'Active' } };

  // Before any step that matters, so that each has another one that vouches for it, should its mark be taken off.
  const unmarked = generations.find(({ mark }) => mark !== 'whole');
  if (unmarked !== undefined) return { ...settled, step: { do: 'mark', generation: unmarked } };

  const stillActive = former.find(({ state }) => state === 'Active');
  if (stillActive !== undefined) return { ...settled, step: { do: 'move', generation: stillActive, to: 'Retiring' } };

  if (wanted === undefined)
    return source === undefined ? leave(former) : { ...settled, step: { do: 'settle', recheckAt: undefined } };
  // No workload can hold anything valid that a waiting period would protect.
  const isFirst = signing === undefined && former.length === 0 && able.length === present.length;
  if (successor === undefined) return { ...settled, step: { do: 'create', state: isFirst ? 'Active' : 'Prepared' } };

  // A crash between "the new one signs" and "the old one retires" leaves two: the later one is meant.
  const extra = present.find((each) => each.state === 'Active' && each !== signing && signing !== undefined);
  if (extra !== undefined) return { ...settled, step: { do: 'move', generation: extra, to: 'Retiring' } };

  if (successor.state !== 'Active') {
    const step = { do: 'move', generation: successor, to: 'Active' } as const;
    if (isFirst) return { ...settled, step };
    const deadline = new Date(successor.since.getTime() + rotation.progressDeadlineMs);
    return waitForMembers(rotation, successor, lacksBundle, () => deadline, step, now);
  }
  return leave(generations.filter((each) => each !== successor));

  function leave(candidates: readonly Generation[]): Plan {
    const isUsed = (each: Generation) =>
      rotation.members.some((member) => needsGeneration(member, each, successor) && until(member, each) > now);
    const leaving = candidates.find((each) => !isUsed(each)) ?? candidates[0];
    if (leaving === undefined) return { ...settled, step: { do: 'settle', recheckAt: undefined } };
    // A generation that never signed has no certificates, unless another one signed with its key.
    const hasSigned = generations.some((each) => each.state !== 'Prepared' && haveOneKey(each, leaving));
    if (leaving.state === 'Prepared' && !hasSigned) return { ...settled, step: { do: 'retire', generation: leaving } };
    // Where only the certificate of the CA was renewed, what the old one signed is good under the new one.
    const isRenewed = successor !== undefined && isSameCa(leaving.path, successor.path);
    const needsIt = (member: Member) => !isRenewed && needsGeneration(member, leaving, successor);
    const step = { do: 'retire', generation: leaving } as const;
    return waitForMembers(rotation, leaving, needsIt, (member) => until(member, leaving), step, now);
  }

  function until(member: Member, leaving: Generation): Date {
    return countsUntil(member, leaving, signing, rotation.longestLifeMs);
  }

  // What another CA signed is no certificate of this authority, whatever its Secret says.
  function lacksBundle(member: Member): boolean {
    const isOurs = generations.some(
      (each) => usesGeneration(member, each) && (each.state !== 'Retiring' || until(member, each) > now),
    );
    return isOurs && member.trustBundleHash !== rotation.trustBundleHash;
  }
}

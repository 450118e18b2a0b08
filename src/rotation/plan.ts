import { pass } from './gates.ts';
import {
  canSign,
  endOf,
  type Generation,
  isPremature,
  isPresent,
  mayHaveSigned,
  signingGeneration,
} from './generation.ts';
import { leave } from './leaving.ts';
import { type Move, type Plan, planFor, type Rotation, type Step } from './plan-types.ts';
import { isHeldOff, rollBack, rolledBack } from './roll-back.ts';
import { isFull, removeSuperseded } from './superseded.ts';
import { lastInUse } from './usage.ts';

/**
 * A CA swap in steps, each of which waits until it can hurt no workload:
 * 1. the new CA goes into every ca.crt (Prepared);
 * 2. once all have it and had time to load it, and every verifier is shown to trust it, it is Trusted;
 * 3. it signs (Active), and the certificates of the old one are re-issued;
 * 4. once none of them is left and all had time to load theirs, the old one leaves the bundle (Retired).
 *
 * A certificate that has expired counts for nothing, nor does one that ends after all that a leaving CA can have signed.
 * Generations that another backend brought don't sign any more, and leave like an old one. One without a signer is trusted
 * and leaves like any other, and is never made to sign.
 */
export function planRotation(all: Rotation, now: Date): Plan {
  const rotation = { ...all, members: all.members.filter(({ notAfter }) => notAfter !== undefined && notAfter > now) };
  const { generations, source } = rotation;
  const present = generations.filter((each) => isPresent(each, source));
  const former = generations.filter((each) => !present.includes(each));
  const able = present.filter(canSign);
  const signing = signingGeneration(present, now);
  // What was rolled back is not wanted, whatever the source says.
  const isRejected = rolledBack(signing);
  const isEarly = able.some((each) => each.path.id === rotation.wanted && isPremature(each, now));
  const isUnwanted = isHeldOff(rotation.wanted, generations, signing) || (isEarly && signing !== undefined);
  const wanted = isUnwanted ? signing?.path.id : rotation.wanted;
  const wantedOnes = able.filter(({ path }) => path.id === wanted);
  // A Secret that was restored by hand may keep the same pair again.
  const successor = wantedOnes.find((each) => each === signing) ?? wantedOnes[0];
  const scene = { rotation, signing, remaining: successor === undefined ? [] : [successor], now };

  // Only damaged marks leave nothing that signs while certificates of a good CA are about: they decide which one it was.
  const forgotten =
    signing === undefined
      ? (beforePremature(able, now) ?? lastInUse({ ...rotation, generations: able }, successor, now))
      : undefined;
  if (forgotten !== undefined) return planFor({ do: 'move', generation: forgotten, to: 'Active' });

  // Before any step that matters, so that each has another one that vouches for it, should its mark be taken off.
  const unmarked = generations.find(({ mark }) => mark !== 'whole');
  if (unmarked !== undefined) return planFor({ do: 'mark', generation: unmarked });

  // The other machine may call the same CA otherwise, as after it was restored.
  const { issuerRef } = rotation;
  if (successor !== undefined && issuerRef !== undefined && successor.issuerRef !== issuerRef)
    return planFor({ do: 'note', generation: { ...successor, issuerRef } });

  const stillActive = former.find(({ state }) => state === 'Active');
  if (stillActive !== undefined) return planFor({ do: 'move', generation: stillActive, to: 'Retiring' });

  const undone = rollBack(rotation.terms.rollback, able, signing, now) ?? rejected(present);
  if (undone !== undefined) return planFor(undone);

  if (wanted === undefined) return planFor({ do: 'settle', recheckAt: undefined });
  // No workload can hold anything valid that a waiting period would protect, unless a fallback has stood in.
  const isFirst =
    signing === undefined && former.length === 0 && able.length === present.length && !hasFallbackIssued(rotation);
  const superseded = removeSuperseded(
    able.filter((each) => each !== successor && each !== signing),
    rotation,
  );
  if (superseded !== undefined) return planFor(superseded);
  if (successor === undefined && signing !== undefined && isFull(generations, signing))
    return leave(
      generations.filter((each) => each !== signing),
      { ...scene, remaining: [signing] },
    );
  if (successor === undefined) return planFor({ do: 'create', state: isFirst ? 'Active' : 'Pending' });

  // A crash between "the new one signs" and "the old one retires" leaves two: the later one is meant.
  const extra = present.find((each) => each.state === 'Active' && each !== signing && signing !== undefined);
  if (extra !== undefined) return planFor({ do: 'move', generation: extra, to: 'Retiring' });

  if (successor.state !== 'Active') {
    if (isFirst) return planFor({ do: 'move', generation: successor, to: 'Active' });
    // Where its marks were lost, it may not have been in any ca.crt.
    if (mayHaveSigned(successor) && successor.preparedAt === undefined)
      return planFor({ do: 'note', generation: { ...successor, preparedAt: now } });
    const to = NEXT[successor.state];
    return advance({ generation: successor, to }, { do: 'move', generation: successor, to });
  }
  return leave(
    generations.filter((each) => each !== successor),
    scene,
  );

  function advance(move: Move, step: Step): Plan {
    return pass({ ...scene, move }, step);
  }

  function rejected(candidates: readonly Generation[]): Step | undefined {
    const found = candidates.find((each) => each.state !== 'RolledBack' && each !== signing && isRejected(each));
    // What is in no ca.crt has nothing to leave, and must not go into one because it is not wanted.
    if (found?.state === 'Pending') return { do: 'retire', generation: found };
    return found && { do: 'move', generation: found, to: 'RolledBack' };
  }
}

/** Whether a certificate of the fallback is held: its workload is in use, and its peers may not know the new CA yet. */
function hasFallbackIssued({ generations, members, further }: Rotation): boolean {
  if (generations.length === 0) return false;
  return members.some(
    ({ wantedHash, anchorFingerprints }) =>
      wantedHash === undefined && anchorFingerprints.some((each) => further?.has(each)),
  );
}

/** The one that signs again while the one that is to sign isn't valid yet: it is trusted as long as it is there. */
function beforePremature(able: readonly Generation[], now: Date): Generation | undefined {
  if (!able.some((each) => each.state === 'Active' && isPremature(each, now))) return undefined;
  return able
    .filter((each) => each.state === 'Active' || each.state === 'Retiring')
    .filter((each) => !isPremature(each, now) && endOf(each.path) > now)
    .sort((one, other) => other.version - one.version)[0];
}

/** What the CA that is to sign becomes next. One that left signs again by the same gates; it was trusted all the time. */
export const NEXT = {
  Pending: 'Prepared',
  Prepared: 'Trusted',
  Trusted: 'Active',
  Retiring: 'Active',
  RolledBack: 'Active',
} as const;

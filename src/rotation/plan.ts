import { earliest } from '../api/moments.ts';
import { type CaPair, isSameCa } from '../pki/ca.ts';
import { gate } from './gate.ts';

/**
 * The life of a CA generation. Only the signing one issues; all but the retired are in the trust bundle.
 *
 * Prepared -> Active -> Retiring -> Retired
 */
export type GenerationState = 'Prepared' | 'Active' | 'Retiring' | 'Retired';

/** One CA key with its certificate, as the Secret that keeps it tells. */
export interface Generation {
  readonly version: number;
  readonly state: Exclude<GenerationState, 'Retired'>;
  /** Since when it is in that state. */
  readonly since: Date;
  /** When its Secret was made, by the clock of the API server. */
  readonly created: Date;
  /** Whether the mark of its Secret names itself, and all others that are in use too; see GenerationMark. */
  readonly mark: 'none' | 'partial' | 'whole';
  readonly pair: CaPair;
  /** The type of authority that brought it. */
  readonly source: string;
  readonly secret: {
    readonly namespace: string;
    readonly name: string;
    readonly uid: string;
    readonly resourceVersion: string;
  };
}

export type NewGeneration = Pick<Generation, 'version' | 'state' | 'since' | 'pair' | 'source'>;

/** What a certificate of the authority means for its CA rotation. */
export interface Member {
  /** namespace/name of the ClientCertificate, or what else tells people which certificate is meant. */
  readonly key: string;
  /** Fingerprints of the CA certificate that signed what it holds, and of those in its ca.crt to which that leads. */
  readonly issuerFingerprint: string | undefined;
  readonly anchorFingerprints: readonly string[];
  readonly trustBundleHash: string;
  readonly notAfter: Date | undefined;
  /** Only status tells of it: it may hold up a step, and speaks for no generation. */
  readonly fromStatus?: true;
}

export interface Rotation {
  readonly generations: readonly Generation[];
  /** The type of the authority, where Certwheel holds its CA key; see isPresent. */
  readonly source: string | undefined;
  /** The id of the CA pair that is to sign; undefined where its source can't be read, so that all stays as it is. */
  readonly wanted: string | undefined;
  readonly members: readonly Member[];
  readonly trustBundleHash: string;
  /** How long workloads are given to load a Secret that changed. */
  readonly propagationMs: number;
  /** How long members that can't be written may keep a new CA from signing. */
  readonly progressDeadlineMs: number;
  /** How long certificates of the authority live at most; undefined where only the end of its CA bounds that. */
  readonly longestLifeMs: number | undefined;
  /** Since when nobody has stood in the way of a step, by step and version; kept from look to look. */
  readonly clearSince: ReadonlyMap<string, Date>;
}

/** What another replica wrote may lie so far ahead. */
const CLOCKS_APART_MS = 60_000;

/**
 * A moment that lies ahead is none: a clock was wrong, or somebody wrote it so that this generation outdoes what comes
 * after it. It counts from the creation of its Secret, and is written anew. Where that lies ahead too, it is the clock of
 * today that is wrong: it counts from now, and nothing is written.
 */
export function withoutFuture(generation: Generation, now: Date): Generation {
  const { since, created } = generation;
  if (since.getTime() <= now.getTime() + CLOCKS_APART_MS) return generation;
  return created < now ? { ...generation, since: created, mark: 'partial' } : { ...generation, since: now };
}

/** The next step of a CA rotation: always one write, so that a crash between two steps leaves a state that goes on. */
export type Step =
  | { readonly do: 'settle'; readonly recheckAt: Date | undefined }
  /** A pair that isn't a generation yet becomes one. It may sign at once only where nothing else can. */
  | { readonly do: 'create'; readonly state: 'Prepared' | 'Active' }
  /** Its annotations are written anew, as they were read. */
  | { readonly do: 'mark'; readonly generation: Generation }
  | { readonly do: 'move'; readonly generation: Generation; readonly to: 'Active' | 'Retiring' }
  | { readonly do: 'retire'; readonly generation: Generation };

export interface Plan {
  readonly step: Step;
  /** Certificates that hold up the next step, for people to read. */
  readonly waitingFor: readonly string[];
  /** Certificates for which the next step waits no longer. */
  readonly leftBehind: readonly string[];
  /** For the next look. */
  readonly clearSince: ReadonlyMap<string, Date>;
}

/**
 * A CA swap in three steps, each of which waits until nobody can be hurt by it:
 * 1. the new CA goes into every ca.crt (Prepared);
 * 2. once all have it and had time to load it, it signs (Active), and the certificates of the old one are re-issued;
 * 3. once none of them is left and all had time to load theirs, the old one leaves the bundle (Retired).
 *
 * A certificate that has expired counts for nothing, nor does one that ends after all that a leaving CA can have signed.
 * Generations that another type of authority brought don't sign any
 * more, and leave like an old one.
 */
export function planRotation(all: Rotation, now: Date): Plan {
  const rotation = { ...all, members: all.members.filter(({ notAfter }) => notAfter !== undefined && notAfter > now) };
  const { generations, wanted, source } = rotation;
  const present = generations.filter((each) => isPresent(each, source));
  const former = generations.filter((each) => !present.includes(each));
  const signing = signingGeneration(present, now);
  const settled = { waitingFor: [], leftBehind: [], clearSince: new Map<string, Date>() };
  const wantedOnes = present.filter(({ pair }) => pair.id === wanted);
  // A Secret that was restored by hand may keep the same pair again.
  const successor = wantedOnes.find((each) => each === signing) ?? wantedOnes[0];

  // Only damaged marks leave nothing that signs while certificates of a good CA are about: they decide which one it was.
  const forgotten =
    signing === undefined ? lastInUse({ ...rotation, generations: present }, successor, now) : undefined;
  if (forgotten !== undefined) return { ...settled, step: { do: 'move', generation: forgotten, to: 'Active' } };

  // Before any step that matters, so that each has another one that vouches for it, should its mark be taken off.
  const unmarked = generations.find(({ mark }) => mark !== 'whole');
  if (unmarked !== undefined) return { ...settled, step: { do: 'mark', generation: unmarked } };

  const stillActive = former.find(({ state }) => state === 'Active');
  if (stillActive !== undefined) return { ...settled, step: { do: 'move', generation: stillActive, to: 'Retiring' } };

  if (wanted === undefined)
    return source === undefined ? leave(former) : { ...settled, step: { do: 'settle', recheckAt: undefined } };
  // Nothing valid can be in anybody's hands that a waiting period would protect.
  const isFirst = signing === undefined && former.length === 0;
  if (successor === undefined) return { ...settled, step: { do: 'create', state: isFirst ? 'Active' : 'Prepared' } };

  // A crash between "the new one signs" and "the old one retires" leaves two: the later one is meant.
  const extra = present.find((each) => each.state === 'Active' && each !== signing && signing !== undefined);
  if (extra !== undefined) return { ...settled, step: { do: 'move', generation: extra, to: 'Retiring' } };

  if (successor.state !== 'Active') {
    const step = { do: 'move', generation: successor, to: 'Active' } as const;
    if (isFirst) return { ...settled, step };
    const deadline = new Date(successor.since.getTime() + rotation.progressDeadlineMs);
    return gate(rotation, successor, lacksBundle, () => deadline, step, now);
  }
  return leave(generations.filter((each) => each !== successor));

  function leave(candidates: readonly Generation[]): Plan {
    const isUsed = (each: Generation) =>
      rotation.members.some((member) => needsGeneration(member, each, successor) && until(member, each) > now);
    const leaving = candidates.find((each) => !isUsed(each)) ?? candidates[0];
    if (leaving === undefined) return { ...settled, step: { do: 'settle', recheckAt: undefined } };
    // A generation that never signed has no certificates.
    if (leaving.state === 'Prepared') return { ...settled, step: { do: 'retire', generation: leaving } };
    // Where only the certificate of the CA was renewed, what the old one signed is good under the new one.
    const isRenewed = successor !== undefined && isSameCa(leaving.pair, successor.pair);
    const needsIt = (member: Member) => !isRenewed && needsGeneration(member, leaving, successor);
    const step = { do: 'retire', generation: leaving } as const;
    return gate(rotation, leaving, needsIt, (member) => until(member, leaving), step, now);
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

/**
 * Whether a generation was brought by the authority as it is now; one that lost its mark counts, since to make another CA
 * would be worse. None is where another machine holds the CA key.
 */
export function isPresent(generation: Pick<Generation, 'source'>, source: string | undefined): boolean {
  return source !== undefined && (generation.source === source || generation.source === '');
}

/** The generation that signs: the one that became active last, as long as it is good. */
export function signingGeneration(generations: readonly Generation[], now: Date): Generation | undefined {
  const active = generations.filter(({ state, pair }) => state === 'Active' && endOf(pair) > now);
  // What became active in the future did so by a clock that was wrong, and must not outdo what comes after it.
  const sinceMs = ({ since }: Generation) => (since > now ? 0 : since.getTime());
  return active.sort((one, other) => sinceMs(other) - sinceMs(one) || other.version - one.version)[0];
}

/** When nothing can be signed any more: the first end of the CA certificate and of those above it. */
export function endOf(pair: CaPair): Date {
  return new Date(Math.min(...pair.chain.map(({ notAfter }) => notAfter.getTime())));
}

/** The newest generation, but for the one that is to come, of which somebody holds a valid certificate. */
function lastInUse(
  { generations, members }: Rotation,
  successor: Generation | undefined,
  now: Date,
): Generation | undefined {
  return generations
    .filter((each) => each !== successor && endOf(each.pair) > now)
    .filter((each) => members.some((member) => member.fromStatus === undefined && usesGeneration(member, each)))
    .sort((one, other) => other.version - one.version)[0];
}

function usesGeneration({ issuerFingerprint }: Member, { pair }: Generation): boolean {
  return issuerFingerprint === pair.certificate.fingerprintSHA256;
}

/** What leads to the root of the successor too, above the very same certificate, doesn't need the former root. */
function needsGeneration(member: Member, leaving: Generation, successor: Generation | undefined): boolean {
  if (!usesGeneration(member, leaving)) return false;
  const leadsToSuccessor =
    successor !== undefined &&
    usesGeneration(member, successor) &&
    member.anchorFingerprints.includes(successor.pair.anchor.fingerprintSHA256);
  return !leadsToSuccessor;
}

/**
 * Until when a certificate can keep a CA that leaves in use. All that this one signed was signed before it began to leave,
 * so it has ended a longest life later; what ends after that was signed by somebody else with its key.
 */
function countsUntil(
  { notAfter }: Member,
  leaving: Generation,
  signing: Generation | undefined,
  longestLifeMs: number | undefined,
): Date {
  // Damaged annotations count from the creation of the Secret, at which nothing begins to leave.
  const leavesSince = leaving.since > leaving.created ? leaving.since : signing?.since;
  const issuedEnd =
    longestLifeMs === undefined || leavesSince === undefined
      ? undefined
      : new Date(leavesSince.getTime() + longestLifeMs);
  // A certificate never outlives the CA that signed it.
  return earliest([notAfter, issuedEnd, endOf(leaving.pair)]) as Date;
}

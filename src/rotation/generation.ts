import { toSeconds } from '../api/moments.ts';
import type { CaPath } from '../pki/ca.ts';
import type { CaSigner } from '../pki/ca-signer.ts';

/**
 * The life of a CA generation. Only the signing one issues; all but the pending and the retired are in the trust bundle.
 *
 *     Pending -> Prepared -> Trusted -> Active -> Retiring -> Retired
 *                    |          |          |                     ^
 *                    +----------+----------+---> RolledBack -----+
 */
export type GenerationState = 'Pending' | 'Prepared' | 'Trusted' | 'Active' | 'Retiring' | 'RolledBack' | 'Retired';

/** The states of a generation that has a Secret. */
export type LivingState = Exclude<GenerationState, 'Retired'>;
export const LIVING_STATES: readonly LivingState[] = [
  'Pending',
  'Prepared',
  'Trusted',
  'Active',
  'Retiring',
  'RolledBack',
];

/** Since when nothing stands in the way of a step; kept with the generation, so that a restart loses no minute of the wait. */
export interface Gate {
  readonly to: 'Trusted' | 'Active' | 'Retired';
  readonly since: Date;
}

/** One CA that verifiers must trust, with its signer where Certwheel can sign with its key, as the Secret that keeps it says. */
export interface Generation {
  readonly version: number;
  readonly state: LivingState;
  /** Since when it is in that state. */
  readonly since: Date;
  /** When its Secret was made, by the clock of the API server. */
  readonly created: Date;
  /** Whether the mark of its Secret names itself, and all others that are in use too; see GenerationMark. */
  readonly mark: 'none' | 'partial' | 'whole';
  readonly path: CaPath;
  /** Undefined where nothing here can sign with its key. */
  readonly signer: CaSigner | undefined;
  /** What the machine that holds its key calls it, where Certwheel says there which CA is to sign; see OfferedCa. */
  readonly issuerRef: string | undefined;
  /** The type of authority that brought it. */
  readonly source: string;
  /** When it first went into the trust bundle, where it is known. */
  readonly preparedAt: Date | undefined;
  /** Of its next step that has to wait; undefined while something stands in the way. */
  readonly gate: Gate | undefined;
  /** The ids of the CAs that were rolled back to this one, which are held off as long as it is in use. */
  readonly rejects: readonly string[];
  /** The notBefore of the last of these that was made. */
  readonly rejectedMadeAt?: Date | undefined;
  readonly secret: {
    readonly namespace: string;
    readonly name: string;
    readonly uid: string;
    readonly resourceVersion: string;
  };
}

export type NewGeneration = Pick<
  Generation,
  | 'version'
  | 'state'
  | 'since'
  | 'path'
  | 'signer'
  | 'issuerRef'
  | 'source'
  | 'preparedAt'
  | 'gate'
  | 'rejects'
  | 'rejectedMadeAt'
>;

/** A generation that Certwheel itself can sign with. */
export type KeyedGeneration = Generation & { readonly signer: CaSigner };

export function holdsKey(generation: Generation): generation is KeyedGeneration {
  return generation.signer !== undefined;
}

/**
 * Whether certificates of it can be had, whether or not it is its turn. One that can't is trusted, and its certificates
 * count, but it never signs.
 */
export function canSign({ signer, issuerRef }: Pick<Generation, 'signer' | 'issuerRef'>): boolean {
  return signer !== undefined || issuerRef !== undefined;
}

/** Whether verifiers must trust it. */
export function isInBundle({ state }: Pick<Generation, 'state'>): boolean {
  return state !== 'Pending';
}

/** Whether it signs no more, and is trusted until no certificate of it is left. */
export function isLeaving({ state }: Pick<Generation, 'state'>): boolean {
  return state === 'Retiring' || state === 'RolledBack';
}

/** Whether it may have signed. */
export function mayHaveSigned({ state }: Pick<Generation, 'state'>): boolean {
  return state !== 'Pending' && state !== 'Prepared' && state !== 'Trusted';
}

/**
 * When its CA was made. One that was signed elsewhere may be dated back, or by a clock that is behind, so there the moment
 * counts too at which it came to be trusted.
 */
export function madeAt({
  path: { certificate, anchor },
  state,
  since,
  preparedAt,
}: Pick<Generation, 'path' | 'state' | 'since' | 'preparedAt'>): Date {
  const isSignedElsewhere = anchor.fingerprintSHA256 !== certificate.fingerprintSHA256;
  const taken = isSignedElsewhere ? (preparedAt ?? (state === 'Prepared' ? since : undefined)) : undefined;
  return taken !== undefined && taken > certificate.notBefore ? taken : certificate.notBefore;
}

/** Whether its CA was made at that moment or later; a CA certificate counts whole seconds. */
export function madeSince(generation: Parameters<typeof madeAt>[0], moment: Date): boolean {
  return toSeconds(madeAt(generation)) >= toSeconds(moment);
}

/**
 * Whether the authority made a CA at that moment or later. One that was rolled back counts, also when it is retired:
 * otherwise the request that it has answered would make another one.
 */
export function wasMadeSince(
  generations: readonly Generation[],
  signing: Generation | undefined,
  moment: Date,
): boolean {
  const rejectedAt = signing?.rejectedMadeAt;
  return (
    generations.some((each) => madeSince(each, moment)) ||
    (rejectedAt !== undefined && toSeconds(rejectedAt) >= toSeconds(moment))
  );
}

/** What another replica wrote may lie so far ahead. */
export const CLOCKS_APART_MS = 60_000;

/**
 * A moment that lies ahead is none: a clock was wrong, or it was written so that this generation outdoes what comes
 * after it. It counts from the creation of its Secret, and is written anew. Where that lies ahead too, it is the clock of
 * today that is wrong: it counts from now, and nothing is written.
 */
export function withoutFuture(read: Generation, now: Date): Generation {
  const { since, created } = read;
  const latestMs = now.getTime() + CLOCKS_APART_MS;
  const known = (moment: Date | undefined) => moment !== undefined && moment.getTime() <= latestMs;
  const isWhole = [read.gate?.since, read.preparedAt, read.rejectedMadeAt].every(
    (each) => each === undefined || known(each),
  );
  const generation = isWhole
    ? read
    : {
        ...read,
        gate: known(read.gate?.since) ? read.gate : undefined,
        preparedAt: known(read.preparedAt) ? read.preparedAt : undefined,
        rejectedMadeAt: known(read.rejectedMadeAt) ? read.rejectedMadeAt : undefined,
      };
  if (since.getTime() <= latestMs) return generation;
  return created < now ? { ...generation, since: created, mark: 'partial' } : { ...generation, since: now };
}

/** Whether a CA waits for something, or leaves. */
export function isRotating(generations: readonly Pick<Generation, 'state'>[]): boolean {
  return generations.length > 1 || generations.some(({ state }) => state !== 'Active');
}

/**
 * Whether a generation was brought by the authority as it is now; one that lost its mark counts, since to make another CA
 * would be worse. None is where another machine holds the CA key.
 */
export function isPresent(generation: Pick<Generation, 'source'>, source: string | undefined): boolean {
  return source !== undefined && (generation.source === source || generation.source === '');
}

/**
 * Whether its CA is not valid yet, since it was made or accepted by a clock that was ahead: what it signs is refused
 * everywhere until then. Its Secret was created by the clock of the API server, so a clock that is behind now makes none so.
 */
export function isPremature({ path, created }: Pick<Generation, 'path' | 'created'>, now: Date): boolean {
  const beginMs = Math.max(...path.chain.map(({ notBefore }) => notBefore.getTime()));
  return beginMs > Math.max(now.getTime(), created.getTime()) + CLOCKS_APART_MS;
}

/** The generation that signs: of those that can, the one that became active last, as long as it is good. */
export function signingGeneration(generations: readonly Generation[], now: Date): Generation | undefined {
  const active = generations
    .filter(canSign)
    .filter((each) => each.state === 'Active' && endOf(each.path) > now && !isPremature(each, now));
  // What became active in the future did so by a clock that was wrong, and must not outdo what comes after it.
  const sinceMs = ({ since }: Generation) => (since > now ? 0 : since.getTime());
  return active.sort((one, other) => sinceMs(other) - sinceMs(one) || other.version - one.version)[0];
}

/** When nothing can be signed any more: the first end of the CA certificate and of those above it. */
export function endOf({ chain }: CaPath): Date {
  return new Date(Math.min(...chain.map(({ notAfter }) => notAfter.getTime())));
}

/** Whether Certwheel decides which CA of an authority signs, and under which key of the spec. */
interface Kept {
  readonly backend: { readonly keyPair?: unknown; readonly choosesCA?: boolean };
  readonly definition: { readonly type: string };
}

/** The type of the generations that may sign; undefined where another machine alone decides which CA signs. */
export function sourceOf({ backend, definition }: Kept): string | undefined {
  return backend.keyPair === undefined && backend.choosesCA !== true ? undefined : definition.type;
}

/** The generation that signs for the authority as it is now. */
export function signingOf(runtime: Kept & { readonly generations: readonly Generation[] }, now: Date) {
  const source = sourceOf(runtime);
  return signingGeneration(
    runtime.generations.filter((each) => isPresent(each, source)),
    now,
  );
}

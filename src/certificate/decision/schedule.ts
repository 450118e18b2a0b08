import { createHash } from 'node:crypto';
import { isAuthority } from '../authority-view.ts';
import type { Observed } from '../observed.ts';
import type { CertificateFacts } from '../secret/facts.ts';

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** Up to this life the default is to renew at half of it; longer ones at two thirds. */
const SHORT_LIFE_MS = 7 * DAY;
/** How much of the way from start to due the jitter may take away. */
const JITTER = 0.2;

/** How much later than it began a life may be noted as issued. */
const LATE_NOTE_MS = 5 * SECOND;

/** What the schedule needs to know about a certificate. */
export interface Validity {
  readonly serialNumber: string;
  readonly notBefore: Date;
  readonly notAfter: Date;
}

/** When the certificate was issued, as its Secret remembers, which may be nonsense; and the present moment. */
export interface Issuance {
  readonly issuedAt: Date | undefined;
  readonly now: Date;
  /** When the authority suggests the renewal; undefined where it suggests nothing. */
  readonly suggested?: Date | undefined;
}

export interface Wish {
  readonly uid: string;
  readonly durationMs: number;
  readonly renewBefore: { readonly ms: number } | { readonly percentage: number } | undefined;
  /** See Capabilities. */
  readonly leadMs?: number | undefined;
}

export interface Schedule {
  /** When the certificate is to be renewed. */
  readonly due: Date;
  /** True where renewBefore would take nine tenths or more of the granted life, so that the default is used instead. */
  readonly renewBeforeIgnored: boolean;
  /** What is left of the life when it is renewed: at least so much, since jitter only makes it sooner. */
  readonly leftMs: number;
}

/**
 * When `certificate` is due. Counted from the moment of issue, so that a life which was granted longer than asked for is
 * renewed as it was asked for, and a backdated notBefore neither lengthens the life nor moves the due time.
 */
export function schedule(certificate: Validity, wish: Wish, issuance: Issuance): Schedule {
  const { startMs, lifeMs } = grantedLife(certificate, wish.durationMs, issuance);
  const { untilDueMs, earliestMs, renewBeforeIgnored } = spanOf(lifeMs, wish);
  const jitteredMs = untilDueMs * (1 - JITTER * spread(wish.uid, certificate.serialNumber));
  // Whole seconds, upwards: status shows whole seconds, and what is shown must not be before what is acted on.
  const ownMs = Math.max(jitteredMs, earliestMs);
  const untilMs =
    issuance.suggested === undefined ? ownMs : suggestedMs(issuance.suggested, startMs, ownMs, earliestMs);
  const due = new Date(Math.ceil((startMs + untilMs) / SECOND) * SECOND);
  const leftMs = certificate.notAfter.getTime() - startMs - Math.max(untilDueMs, earliestMs);
  return { due, renewBeforeIgnored, leftMs };
}

/**
 * A suggestion never postpones a renewal, since a CA that is wrong or hostile would let certificates expire. It brings one
 * forward by half of the way at most: renewals twice as frequent are the worst that such a CA can do.
 */
function suggestedMs(suggested: Date, startMs: number, ownMs: number, earliestMs: number): number {
  return Math.min(ownMs, Math.max(suggested.getTime() - startMs, ownMs / 2, earliestMs));
}

/** The time from one issuance to the next for certificates of such a life, on the average over the jitter. */
export function expectedIntervalMs(lifeMs: number, wish: Pick<Wish, 'renewBefore' | 'leadMs'>): number {
  const { untilDueMs, earliestMs } = spanOf(lifeMs, wish);
  const shortestMs = untilDueMs * (1 - JITTER);
  if (earliestMs <= shortestMs) return (shortestMs + untilDueMs) / 2;
  if (earliestMs >= untilDueMs) return earliestMs;
  // What the jitter would bring before the earliest moment waits for it.
  const unhindered = (untilDueMs - earliestMs) / (untilDueMs - shortestMs);
  return (unhindered * (earliestMs + untilDueMs)) / 2 + (1 - unhindered) * earliestMs;
}

/** From the start of a life: until it is due if there were no jitter, and before when it is never due. */
function spanOf(lifeMs: number, { renewBefore, leadMs = 0 }: Pick<Wish, 'renewBefore' | 'leadMs'>) {
  const wished = wishedRemainder(renewBefore, lifeMs);
  const renewBeforeIgnored = wished !== undefined && wished >= 0.9 * lifeMs;
  const untilDueMs =
    wished === undefined || renewBeforeIgnored
      ? Math.min(lifeMs * (lifeMs <= SHORT_LIFE_MS ? 1 / 2 : 2 / 3), Math.max(lifeMs / 2, lifeMs - leadMs))
      : lifeMs - wished;
  return { untilDueMs, earliestMs: Math.max(5 * SECOND, lifeMs / 10), renewBeforeIgnored };
}

/**
 * The life that counts, never longer than what was asked for: from the moment of issue, or, where none is known that can be
 * true, up to notAfter.
 */
export function grantedLife(
  { notBefore, notAfter }: Omit<Validity, 'serialNumber'>,
  durationMs: number,
  { issuedAt, now }: Issuance,
): { readonly startMs: number; readonly lifeMs: number } {
  const [beginMs, endMs] = [notBefore.getTime(), notAfter.getTime()];
  const longestMs = Math.min(endMs - beginMs, durationMs);
  const upToEnd = { startMs: endMs - longestMs, lifeMs: longestMs };
  if (issuedAt === undefined || issuedAt < notBefore || issuedAt >= notAfter || issuedAt > now) return upToEnd;
  const lateMs = issuedAt.getTime() - (endMs - durationMs);
  // Granted as it was asked for: the moment of issue is noted a little later, and a certificate counts whole seconds.
  if (lateMs >= 0 && lateMs <= Math.min(LATE_NOTE_MS, durationMs / 20)) return upToEnd;
  const startMs = Math.max(beginMs + backdateMs(longestMs), issuedAt.getTime());
  return { startMs, lifeMs: Math.min(endMs - startMs, durationMs) };
}

function wishedRemainder(renewBefore: Wish['renewBefore'], lifeMs: number): number | undefined {
  if (renewBefore === undefined) return undefined;
  return 'ms' in renewBefore ? renewBefore.ms : (lifeMs * renewBefore.percentage) / 100;
}

/** How far our own certificates reach back, for verifiers whose clocks are behind. */
export function backdateMs(durationMs: number): number {
  return Math.min(MINUTE, durationMs / 10);
}

/** A number in [0, 1) that is the same at every look and after every restart: jitter must not be drawn anew. */
export function spread(uid: string, salt: string): number {
  return createHash('sha256').update(`${uid}/${salt}`).digest().readUInt32BE(0) / 2 ** 32;
}

/**
 * The longest wait between two tries. It scales with the life that is left, since a certificate of one hour can't wait
 * an hour; without a valid certificate a workload is already suffering, so a minute is the most.
 */
export function longestRetryMs(notAfter: Date | undefined, durationMs: number, now: Date): number {
  const leftMs = notAfter === undefined ? 0 : notAfter.getTime() - now.getTime();
  return leftMs > 0 ? clamp(leftMs / 20, 5 * SECOND, HOUR) : clamp(durationMs / 20, 5 * SECOND, MINUTE);
}

function clamp(value: number, least: number, most: number): number {
  return Math.min(Math.max(value, least), most);
}

/** The schedule of the certificate that the Secret holds, by what the Secret remembers of its issue. */
export function scheduleOf(
  { resource, secret, suggestion, authority }: Pick<Observed, 'resource' | 'secret' | 'suggestion' | 'authority'>,
  held: CertificateFacts,
  now: Date,
): Schedule {
  const suggested = suggestion?.serialNumber === held.serialNumber ? suggestion.moment : undefined;
  const leadMs = isAuthority(authority) ? authority.capabilities.leadMs : undefined;
  return schedule(
    held,
    { ...resource.spec, uid: resource.uid, leadMs },
    { issuedAt: secret?.memory.issuedAt, now, suggested },
  );
}

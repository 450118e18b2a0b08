import { toSeconds } from '../../api/moments.ts';
import type { RevocationReason } from '../../api/revocation.ts';
import { REASON_CODES } from '../../backends/shared/reason-codes.ts';
import type { CrlView } from '../../pki/read-crl.ts';

/** A certificate that is revoked. */
export interface Revoked {
  /** Lower-case hex of even length. */
  readonly serialNumber: string;
  readonly revokedAt: Date;
  readonly reason: RevocationReason;
  readonly notAfter: Date;
}

type Published = Pick<CrlView, 'der' | 'thisUpdate' | 'nextUpdate' | 'find'>;

/** Verifiers whose clocks are behind would refuse a CRL that begins now. */
export const BACKDATED_MS = 60_000;
/** So much longer a CRL is left as it is for each byte: 5 MB are written once in a minute at most. */
const PAUSE_PER_BYTE_MS = 0.01;
const SHORTEST_PAUSE_MS = 2_000;

/**
 * When the next CRL is to be signed: at half of the time for which the published one may be used, or as soon as a certificate
 * is revoked that it doesn't list. A moment in the past means now.
 */
export function crlDue(
  published: Published | undefined,
  revoked: readonly Revoked[],
  now: Date,
  validityMs: number,
): Date {
  if (published === undefined) return now;
  const { der, thisUpdate, nextUpdate } = published;
  // It was signed by a clock that was ahead, and verifiers refuse it until then.
  if (thisUpdate > now) return now;
  const life = Math.min(nextUpdate.getTime() - thisUpdate.getTime(), validityMs);
  const halfMs = thisUpdate.getTime() + life / 2;
  const isIncomplete = revoked.some((each) => each.notAfter >= now && !lists(published, each));
  if (!isIncomplete) return new Date(halfMs);
  const signedMs = thisUpdate.getTime() + BACKDATED_MS;
  const pauseMs = SHORTEST_PAUSE_MS + der.length * PAUSE_PER_BYTE_MS;
  return new Date(Math.min(halfMs, signedMs + pauseMs));
}

function lists(published: Published, { serialNumber, revokedAt, reason }: Revoked): boolean {
  const listed = published.find(serialNumber);
  return (
    listed !== undefined &&
    listed.reasonCode === REASON_CODES[reason] &&
    toSeconds(listed.revokedAt) === toSeconds(revokedAt)
  );
}

/**
 * What the next CRL lists, each serial number once. RFC 5280 section 3.3: a certificate that has expired stays on one more CRL,
 * which `published` is if it began after that end.
 */
export function listedNext(
  published: Pick<Published, 'thisUpdate'> | undefined,
  revoked: readonly Revoked[],
): readonly Revoked[] {
  const kept = revoked.filter(({ notAfter }) => published === undefined || notAfter >= published.thisUpdate);
  return [...new Map(kept.map((each) => [each.serialNumber, each])).values()];
}

/**
 * The number of the next CRL (RFC 5280 section 5.2.3: it never decreases). By the clock, it is above that of a CRL which was
 * lost; above the former one, it is so too after a clock was set back.
 */
export function nextNumber(former: bigint | undefined, now: Date): bigint {
  const byClock = BigInt(toSeconds(now));
  return former === undefined || former < byClock ? byClock : former + 1n;
}

import type { BookedCertificate } from '../backend-deps.ts';
import type { ListedCertificate } from './certificates.ts';

/** So long a certificate that was just published may be missing in the books. */
const SETTLED_MS = 60_000;

/** What is known of the certificates of a zone, apart from the zone's own list. */
export interface Books {
  readonly booked: readonly BookedCertificate[];
  /** By id: since when nothing needs a certificate that was requested, and possibly never published. */
  readonly left: ReadonlyMap<string, Date>;
}

/**
 * The active certificates that may be revoked: those that were superseded in their Secret `waitMs` ago, and those whose
 * request was given up. The first to lose its use comes first. Never one that a Secret holds, and never one that the books
 * don't know by id and serial number: others use the zone too, and a user who may write a Secret may have forged its list.
 */
export function revocable(
  listed: readonly ListedCertificate[],
  { booked, left }: Books,
  waitMs: number,
  now: Date,
): readonly ListedCertificate[] {
  const held = new Set(booked.filter((each) => each.externalId === undefined).map((each) => each.serialNumber));
  const known = new Map(booked.map((each) => [`${each.externalId} ${each.serialNumber}`, each]));
  const serials = new Set(booked.map(({ serialNumber }) => serialNumber));
  return listed
    .filter(({ status, serialNumber }) => status === 'active' && serialNumber !== '' && !held.has(serialNumber))
    .flatMap((each) => {
      const { id, serialNumber } = each;
      const supersededAt = known.get(`${id} ${serialNumber}`)?.supersededAt;
      const leftAt = serials.has(serialNumber) ? undefined : left.get(id);
      const atMs = supersededAt?.getTime() ?? leftAt?.getTime();
      const afterMs = supersededAt === undefined ? Math.max(waitMs, SETTLED_MS) : waitMs;
      return atMs !== undefined && atMs + afterMs <= now.getTime() ? [{ each, atMs }] : [];
    })
    .toSorted((one, other) => one.atMs - other.atMs)
    .map(({ each }) => each);
}

import type { BookedCertificate } from '../backends/backend-deps.ts';
import { readLedger } from '../certificate/secret/ledger.ts';
import { isRecord, isView, type SecretKept } from '../certificate/secret/record.ts';

interface Caches {
  readonly secrets: { byIndex(index: 'authority', authority: string): readonly SecretKept[] };
  withPrimaries(authority: string): readonly string[];
}

/** The certificates that an authority may have issued: a Secret of one whose fallback it is may hold some too. */
export function bookedOf(authority: string, cluster: Caches): readonly BookedCertificate[] {
  return bookedIn(cluster.withPrimaries(authority).flatMap((key) => cluster.secrets.byIndex('authority', key)));
}

/**
 * Parts of a ledger that are read, the newest first; at most eleven certificates are valid at once by the schedule. A
 * tenant may forge hundreds in each of a thousand Secrets, and each request to the authority reads them all.
 */
const MOST_PARTS = 32;

/**
 * The certificates that the Secrets of an authority list by the authority's own id of them, and without an id those that
 * Secrets hold with their key: a list may be forged, so a serial number in it says nothing of the certificate of others that
 * has it. One that any Secret holds was not superseded, whatever others say: a copy of a Secret may be behind. Where it
 * can't be known what a Secret holds, it is the newest one, and all of them where it isn't known since when. So are all of a
 * Secret that isn't proven yet: a proof costs up to 20 ms, and is charged to the Secret's own certificate alone.
 */
export function bookedIn(secrets: readonly SecretKept[]): readonly BookedCertificate[] {
  const found = new Map<string, BookedCertificate>();
  for (const each of secrets.flatMap(bookedBy)) {
    const id = `${each.serialNumber} ${each.externalId ?? ''}`;
    const before = found.get(id);
    const supersededAt = before === undefined ? each.supersededAt : later(before.supersededAt, each.supersededAt);
    found.set(id, { ...each, supersededAt });
  }
  return [...found.values()];
}

function bookedBy(kept: SecretKept): BookedCertificate[] {
  if (isRecord(kept))
    return newestIn(kept.ledger).map(({ serialNumber, externalId }) => ({ serialNumber, externalId }));
  if (!isView(kept)) return [];
  const entries = newestIn(kept.memory.ledger);
  const { issuedAt } = kept.memory;
  const { claimedSerialNumber: serial } = kept;
  const held = serial ?? entries[0]?.serialNumber;
  const listed = entries.map(({ serialNumber, externalId }) => ({
    serialNumber,
    externalId,
    supersededAt: serialNumber === held || !kept.isProven ? undefined : issuedAt,
  }));
  return serial === undefined
    ? listed
    : [...listed, { serialNumber: serial, externalId: undefined, supersededAt: undefined }];
}

function newestIn(ledger: string) {
  const { entries } = readLedger(ledger.split(',', MOST_PARTS).join());
  return entries.filter(({ externalId }) => externalId !== undefined);
}

function later(one: Date | undefined, other: Date | undefined): Date | undefined {
  if (one === undefined || other === undefined) return undefined;
  return one > other ? one : other;
}

import { earliest } from '../api/moments.ts';
import type { Revocation } from '../api/revocation.ts';
import type { LedgerEntry } from '../certificate/secret/ledger.ts';
import { isNews, type Kept } from './kept.ts';

/** A certificate that this authority has issued for sure. */
export interface Issued extends LedgerEntry {
  /** No Secret lists it any more. */
  readonly isLost?: boolean;
}

/** How often the ledgers are searched. */
export const LEDGERS_EACH_MS = 60_000;

/** Whether spec.revocation may mean certificates that no ClientCertificate asks to revoke. */
export function wantsLedgers({ serials, revokesSuperseded, revokesDeleted }: Revocation): boolean {
  return serials.length > 0 || revokesSuperseded || revokesDeleted;
}

/**
 * Adds to what is asked for the serial numbers of the spec that a ledger lists as still valid, and the certificates whose Secret is
 * gone: after `delay`, counted from when this process first saw that.
 */
export async function searchLedgers(
  kept: Kept,
  revocation: Revocation,
  issued: () => Promise<ReadonlyMap<string, Issued>>,
  now: Date,
): Promise<void> {
  const missing = revocation.serials.filter(({ serialNumber, reason }) => {
    const known = kept.register.get(serialNumber);
    if (known !== undefined && isNews({ ...known, reason }, kept)) kept.asked.set(serialNumber, { ...known, reason });
    return known === undefined;
  });
  kept.unlisted = kept.unlisted.filter((each) => missing.some(({ serialNumber }) => serialNumber === each));
  const takesLost = revocation.revokesSuperseded || revocation.revokesDeleted;
  if (missing.length === 0 && !takesLost) return;
  const isRecent = kept.ledgersAt !== undefined && Math.abs(now.getTime() - kept.ledgersAt.getTime()) < LEDGERS_EACH_MS;
  if (isRecent && missing.every(({ serialNumber }) => kept.unlisted.includes(serialNumber))) return;
  const known = await issued();
  const isValid = (entry: Issued | undefined) => entry !== undefined && entry.notAfter > now;
  kept.ledgersAt = now;
  for (const { serialNumber, reason } of missing) {
    const entry = known.get(serialNumber);
    if (entry !== undefined && isValid(entry) && isNews({ ...entry, reason }, kept))
      kept.asked.set(serialNumber, { ...entry, reason });
  }
  kept.unlisted = missing.map(({ serialNumber }) => serialNumber).filter((each) => !isValid(known.get(each)));
  if (!takesLost) return;
  for (const entry of known.values()) {
    const { serialNumber, isLost } = entry;
    if (isLost !== true || !isValid(entry) || kept.register.has(serialNumber) || kept.asked.has(serialNumber)) continue;
    // A moment in the future is that of a clock that was set back.
    const since = earliest([kept.lostSince.get(serialNumber), now]) ?? now;
    kept.lostSince.set(serialNumber, since);
    if (now.getTime() - since.getTime() >= revocation.delayMs)
      kept.asked.set(serialNumber, { ...entry, reason: 'superseded' });
  }
  for (const serial of kept.lostSince.keys()) if (!known.has(serial)) kept.lostSince.delete(serial);
}

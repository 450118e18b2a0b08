import { toRfc3339 } from '../../api/conditions.ts';
import {
  DROPPED_BYTES,
  droppedPart,
  issuerApart,
  type LedgerEntry,
  mayList,
  NO_SEAL,
  namesIssuers,
  parseLedger,
  writeEntries,
} from './ledger-text.ts';
import type { Seal, SealContext, Sealing } from './seal.ts';

export { issuerApart, type LedgerEntry };

/** What is still valid, as far as a ledger says. What isn't sealed a user who may write the annotation may have forged. */
export interface Ledger {
  /** Newest first; what is sealed comes before the rest. */
  readonly entries: readonly LedgerEntry[];
  /** Set where certificates are missing for lack of room: the last of those is valid until then. */
  readonly droppedUntil?: Date | undefined;
}

/**
 * The longest ledger on a Secret: 300 certificates of one issuer. At most eleven are valid at once by the schedule, which
 * renews after a tenth of the life at the earliest; only frequent changes of a spec with a long duration come near 300.
 * The API server allows 256 KiB of annotations; the template may take 160 KiB of them, and its list of keys 20 KiB. A
 * view keeps the text in memory, so its weight counts what goes beyond USUAL_LEDGER.
 */
export const MOST_LEDGER_BYTES = 16_384;
/** Two certificates of one issuer, as most Secrets have. */
export const USUAL_LEDGER = 256;

/** Former versions kept the last ten serial numbers, and no issuer. */
const FORMERLY_KEPT = 10;

/** Reads a ledger. Which entries are sealed is known only with `sealing`; see parseLedger. */
export function readLedger(text: string, sealing?: Sealing): Ledger {
  const { entries, droppedUntil: stated } = parseLedger(text, sealing);
  const mayBeMore = !namesIssuers(text) && entries.length >= FORMERLY_KEPT;
  const droppedUntil = stated ?? (mayBeMore ? latest(entries) : undefined);
  return droppedUntil === undefined ? { entries } : { entries, droppedUntil };
}

/** The certificates of which a seal proves that this authority issued them in this namespace. */
export function sealedEntries(text: string, { authority, namespace }: SealContext, seal: Seal): LedgerEntry[] {
  return readLedger(text, { seal, namespace }).entries.filter(({ sealedFor }) => sealedFor === authority);
}

/**
 * The text of a ledger with the certificates `newest` in front, each once, without those that have expired. What is sealed
 * comes first, and all the rest last; where that takes more than `mostBytes`, the last are dropped. While no key is known, what
 * is sealed stays as it stands, and what is new isn't.
 */
export function nextLedger(
  text: string,
  newest: readonly LedgerEntry[],
  now: Date,
  sealing?: Sealing,
  mostBytes = MOST_LEDGER_BYTES,
): string {
  const known = sealing?.seal.isKnown === true ? sealing : undefined;
  const isValid = ({ notAfter }: Pick<LedgerEntry, 'notAfter'>) => notAfter >= now;
  const { entries, droppedUntil } = readLedger(text, known);
  const room = mostBytes - DROPPED_BYTES;
  const kept = known === undefined ? keptAsIs(text, isValid, room) : { parts: [], bytes: 0, listed: new Set() };
  const order = eachOnce([...provable(newest, entries, known), ...entries])
    .filter((each) => isValid(each) && !kept.listed.has(idOf(each)))
    .sort((one, other) => rank(one) - rank(other));
  const { parts, left } = writeEntries(order, room - kept.bytes, known);
  const dropped = latest([...left, ...(droppedUntil ? [{ notAfter: droppedUntil }] : [])].filter(isValid));
  const between = parts.length > 0 && kept.parts.length > 0 ? [NO_SEAL] : [];
  return [...parts, ...between, ...kept.parts, ...(dropped ? [droppedPart(dropped)] : [])].join(',');
}

/** The sealed parts of a text that can't be written anew without the key, as far as there is room for them. */
function keptAsIs(text: string, isValid: (entry: LedgerEntry) => boolean, mostBytes: number) {
  const parts: string[] = [];
  const listed = new Set<string>();
  let bytes = NO_SEAL.length + 1;
  for (const each of parseLedger(text).sealed) {
    const length = Buffer.byteLength(each.text) + 1;
    if (!each.entries.some(isValid) || bytes + length > mostBytes) continue;
    bytes += length;
    parts.push(each.text);
    for (const entry of each.entries) listed.add(idOf(entry));
  }
  return { parts, bytes: parts.length === 0 ? 0 : bytes, listed };
}

/**
 * The certificates of the text `former` that are still valid and that the text `present`, or all of several, lacks, or lists without the seal that
 * they have: to write an entry without it must not take it out of the books.
 */
export function missingFrom(
  present: string | readonly string[],
  former: string,
  now: Date,
  sealing?: Sealing,
): LedgerEntry[] {
  const entries = [present].flat().flatMap((each) => readLedger(each, sealing).entries);
  const known = new Set(entries.flatMap((each) => [idOf(each), keyOf(each)]));
  return readLedger(former, sealing).entries.filter(
    (each) => each.notAfter >= now && !known.has(each.sealedFor === undefined ? idOf(each) : keyOf(each)),
  );
}

/** The text `former` without the certificates that the texts `present` list, and without those that have expired. */
export function withoutListed(former: string, present: readonly string[], now: Date, sealing?: Sealing): string {
  const { entries, droppedUntil } = readLedger(former);
  const serials = new Set(entries.map(({ serialNumber }) => serialNumber));
  const dropped = droppedUntil === undefined ? '' : droppedPart(droppedUntil);
  const listing = present.filter((each) => mayList(each, serials));
  return nextLedger(dropped, missingFrom(listing, former, now, sealing), now, sealing);
}

function rank({ sealedFor }: LedgerEntry): number {
  return sealedFor === undefined ? 1 : 0;
}

/**
 * Without a key nothing new is sealed. With one, a certificate stays unsealed that the text lists with an id of the authority's
 * and no seal: that id may be of another certificate, and a backend may revoke by it.
 */
function provable(newest: readonly LedgerEntry[], entries: readonly LedgerEntry[], known: Sealing | undefined) {
  const claims = new Set(
    entries.filter((each) => each.sealedFor === undefined && each.externalId !== undefined).map(idOf),
  );
  const sealed = new Set(entries.map(keyOf));
  return newest.map((each) => {
    const { sealedFor, ...unsealed } = each;
    const isClaimed = each.externalId === undefined && claims.has(idOf(each)) && !sealed.has(keyOf(each));
    return sealedFor === undefined || known === undefined || isClaimed ? unsealed : each;
  });
}

/**
 * Each of them once, by serial number and end, and by the authority that it is sealed for: what is sealed takes nothing over
 * from what isn't, nor from what another authority has said. Not by the issuer: it is unknown in ledgers of former versions,
 * and another one where the CA was renewed under its key.
 */
function eachOnce(entries: readonly LedgerEntry[]): LedgerEntry[] {
  const found = new Map<string, LedgerEntry>();
  for (const each of entries) {
    const { serialNumber, notAfter, sealedFor } = each;
    const newer = found.get(keyOf(each));
    found.set(keyOf(each), {
      serialNumber,
      notAfter,
      externalId: newer?.externalId ?? each.externalId,
      issuerFingerprint: newer?.issuerFingerprint ?? each.issuerFingerprint,
      // The moment that was noted first: of a held certificate only its begin is known.
      issuedAt: each.issuedAt ?? newer?.issuedAt,
      sealedFor,
    });
  }
  const all = [...found.values()];
  const sealed = new Set(all.filter((each) => each.sealedFor !== undefined).map(idOf));
  return all.filter((each) => each.sealedFor !== undefined || !sealed.has(idOf(each)));
}

function idOf({ serialNumber, notAfter }: LedgerEntry): string {
  return `${serialNumber}=${toRfc3339(notAfter)}`;
}

function keyOf(entry: LedgerEntry): string {
  return `${idOf(entry)}=${entry.sealedFor ?? ''}`;
}

function latest(entries: readonly Pick<LedgerEntry, 'notAfter'>[]): Date | undefined {
  return entries.length === 0 ? undefined : new Date(Math.max(...entries.map(({ notAfter }) => notAfter.getTime())));
}

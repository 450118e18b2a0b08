import { parseRfc3339, toRfc3339 } from '../../api/conditions.ts';

/** A certificate that was issued and is still valid. */
export interface LedgerEntry {
  /** Lower-case hex of even length. */
  readonly serialNumber: string;
  readonly notAfter: Date;
  /** See Issued. */
  readonly externalId?: string | undefined;
  /**
   * SHA-256 of the CA certificate that signed it, in hex; undefined where that is unknown. In full: a serial number means
   * nothing without its issuer, and a CA certificate with the same first digits is easily made.
   */
  readonly issuerFingerprint?: string | undefined;
}

/** What is still valid, as far as a ledger says. A user who may write the annotation may have forged all of it. */
export interface Ledger {
  /** Newest first. */
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

/** Names of objects, ARNs and URLs are shorter; part of an id would name nothing. */
const LONGEST_EXTERNAL_ID = 1_024;
/** Former versions kept the last ten serial numbers, and no issuer. */
const FORMERLY_KEPT = 10;

const ISSUER_MARK = '@';
const ISSUER = /^@([0-9a-f]{64})$/;
const SERIAL = /^([0-9a-f]{2})+$/;
const DROPPED = 'dropped';
/** `dropped=` and a moment. */
const DROPPED_BYTES = 28;

/**
 * Reads `@<issuer>,<serial>=<notAfter>[=<externalId>],…,dropped=<notAfter>`: an issuer counts for all entries up to the
 * next part that is no entry. What can't be read is as good as none, and the issuer of what follows it is unknown.
 */
export function readLedger(text: string): Ledger {
  const entries: LedgerEntry[] = [];
  let issuerFingerprint: string | undefined;
  let droppedUntil: Date | undefined;
  for (const part of text.split(',')) {
    const [head = '', end, externalId, ...rest] = part.split('=');
    const notAfter = rest.length === 0 ? parseRfc3339(end) : undefined;
    if (notAfter !== undefined && SERIAL.test(head))
      entries.push({
        serialNumber: head,
        notAfter,
        ...externalIdOf(externalId),
        ...(issuerFingerprint && { issuerFingerprint }),
      });
    else issuerFingerprint = ISSUER.exec(part)?.[1];
    if (head === DROPPED) droppedUntil = notAfter;
  }
  if (!text.includes(ISSUER_MARK) && entries.length >= FORMERLY_KEPT) droppedUntil ??= latest(entries);
  return droppedUntil === undefined ? { entries } : { entries, droppedUntil };
}

/** The issuer with which a ledger begins, and the rest of the text: most ledgers of a cluster begin with the same few. */
export function issuerApart(text: string): readonly [issuer: string, rest: string] {
  const [issuer = ''] = /^@[0-9a-f]{64},/.exec(text) ?? [];
  return [issuer, text.slice(issuer.length)];
}

/**
 * The text of a ledger with the certificates `newest` in front, each once, without those that have expired. Where that
 * takes more than `mostBytes`, the oldest are dropped.
 */
export function nextLedger(
  text: string,
  newest: readonly LedgerEntry[],
  now: Date,
  mostBytes = MOST_LEDGER_BYTES,
): string {
  const { entries, droppedUntil } = readLedger(text);
  const isValid = ({ notAfter }: Pick<LedgerEntry, 'notAfter'>) => notAfter >= now;
  const valid = eachOnce([...newest, ...entries]).filter(isValid);
  const { parts, left } = fitting(valid, mostBytes - DROPPED_BYTES);
  const dropped = latest([...left, ...(droppedUntil ? [{ notAfter: droppedUntil }] : [])].filter(isValid));
  return [...parts, ...(dropped ? [`${DROPPED}=${toRfc3339(dropped)}`] : [])].join(',');
}

/** The certificates of the text `former` that are still valid and that the text `present` lacks. */
export function missingFrom(present: string, former: string, now: Date): LedgerEntry[] {
  const known = new Set(readLedger(present).entries.map(idOf));
  return readLedger(former).entries.filter((each) => each.notAfter >= now && !known.has(idOf(each)));
}

/** The text `former` without the certificates that the text `present` lists, and without those that have expired. */
export function withoutListed(former: string, present: string, now: Date): string {
  const { droppedUntil } = readLedger(former);
  const dropped = droppedUntil === undefined ? '' : `${DROPPED}=${toRfc3339(droppedUntil)}`;
  return nextLedger(dropped, missingFrom(present, former, now), now);
}

/**
 * Each of them once, by serial number and end. Not by the issuer: it is unknown in ledgers of former versions, and
 * another one where the CA was renewed under its key.
 */
function eachOnce(entries: readonly LedgerEntry[]): LedgerEntry[] {
  const found = new Map<string, LedgerEntry>();
  for (const each of entries) {
    const { serialNumber, notAfter, externalId, issuerFingerprint } = each;
    const id = idOf(each);
    const newer = found.get(id);
    found.set(id, {
      serialNumber,
      notAfter,
      externalId: newer?.externalId ?? externalId,
      issuerFingerprint: newer?.issuerFingerprint ?? issuerFingerprint,
    });
  }
  return [...found.values()];
}

/** The parts of the text up to the first entry for which there is no room, and the entries from there. */
function fitting(entries: readonly LedgerEntry[], mostBytes: number) {
  const parts: string[] = [];
  let bytes = 0;
  let issuer: string | undefined;
  for (const [index, entry] of entries.entries()) {
    const isSame = entry.issuerFingerprint === issuer;
    const more = [...(isSame ? [] : [`${ISSUER_MARK}${entry.issuerFingerprint ?? ''}`]), written(entry)];
    bytes += more.reduce((sum, part) => sum + Buffer.byteLength(part) + 1, 0);
    if (bytes > mostBytes) return { parts, left: entries.slice(index) };
    parts.push(...more);
    issuer = entry.issuerFingerprint;
  }
  return { parts, left: [] };
}

function written({ serialNumber, notAfter, externalId = '' }: LedgerEntry): string {
  const isKept = externalId !== '' && externalId.length <= LONGEST_EXTERNAL_ID;
  const id = isKept ? `=${externalId.replace(/[%,=]/g, encodeURIComponent)}` : '';
  return `${serialNumber}=${toRfc3339(notAfter)}${id}`;
}

function idOf({ serialNumber, notAfter }: LedgerEntry): string {
  return `${serialNumber}=${toRfc3339(notAfter)}`;
}

function externalIdOf(text = ''): Pick<LedgerEntry, 'externalId'> {
  try {
    return text === '' ? {} : { externalId: decodeURIComponent(text) };
  } catch {
    return {};
  }
}

function latest(entries: readonly Pick<LedgerEntry, 'notAfter'>[]): Date | undefined {
  return entries.length === 0 ? undefined : new Date(Math.max(...entries.map(({ notAfter }) => notAfter.getTime())));
}

import { parseRfc3339, toRfc3339 } from '../../api/conditions.ts';
import { MAC_LENGTH, type Sealing } from './seal.ts';

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
  /** The moment of issue, in whole seconds; undefined where that is unknown. */
  readonly issuedAt?: Date | undefined;
  /** The authority, as `CertificateAuthority/name`, of which a seal proves that it issued this; undefined where none does. */
  readonly sealedFor?: string | undefined;
}

/** A part of a text that ends with a MAC, as it is written, with the entries in it. */
export interface SealedText {
  readonly text: string;
  readonly entries: readonly LedgerEntry[];
}

export interface LedgerText {
  /** In the order of the text. */
  readonly entries: readonly LedgerEntry[];
  /** The parts with a MAC, which may prove nothing. */
  readonly sealed: readonly SealedText[];
  readonly droppedUntil?: Date | undefined;
}

/** Names of objects, ARNs and URLs are shorter; part of an id would name nothing. */
const LONGEST_EXTERNAL_ID = 1_024;

const ISSUER_MARK = '@';
const ISSUER = /^@([0-9a-f]{64})$/;
const SERIAL = /^([0-9a-f]{2})+$/;
const DROPPED = 'dropped';
const ISSUED = 'issued';
const SEAL = 'seal';
const SEALED_FOR = /^(Cluster)?CertificateAuthority\/[-a-z0-9.]{1,50}$/;
/**
 * Seals of a text that are verified, one for each authority that has issued into the Secret and whose certificates are still
 * valid. A tenant may forge hundreds in each of its Secrets, and each takes a hash.
 */
const MOST_SEALS = 8;
/** In seconds, base 36. */
const LIFE = /^[0-9a-z]{1,7}$/;

/** `dropped=` and a moment. */
export const DROPPED_BYTES = 28;

/**
 * Reads `@<issuer>,<serial>=<notAfter>[=<externalId>],…[,issued=<life>.<life>…][,seal=<mac>=<authority>],…,dropped=<notAfter>`.
 * An issuer counts for all entries up to the next part that is no entry. A seal counts for what stands between it and the one
 * before; an empty one ends entries that have none. What can't be read is as good as none, and the issuer of what follows it is
 * unknown. A life is that of one entry, from its issue to its end: former versions, which know entries of three fields at most,
 * skip the list of them.
 */
export function parseLedger(text: string, sealing?: Sealing): LedgerText {
  const entries: LedgerEntry[] = [];
  const sealed: SealedText[] = [];
  let section = new Section();
  let asked = 0;
  let droppedUntil: Date | undefined;
  for (const part of text.split(',')) {
    const [head = '', value = '', authority] = part.split('=');
    if (head === SEAL) {
      const { text: raw } = section;
      const isMarked = authority !== undefined && SEALED_FOR.test(authority) && value.length === MAC_LENGTH;
      const isAsked = isMarked && section.entries.length > 0 && asked < MOST_SEALS;
      if (isAsked) asked++;
      const isProven =
        isAsked && sealing?.seal.verifies({ authority, namespace: sealing.namespace }, raw, value) === true;
      const found = section.entries.map((each) => (isProven ? { ...each, sealedFor: authority } : each));
      if (isMarked) sealed.push({ text: raw === '' ? part : `${raw},${part}`, entries: found });
      entries.push(...found);
      section = new Section();
      continue;
    }
    section.add(part);
    if (head === DROPPED) droppedUntil = parseRfc3339(value);
  }
  return { entries: [...entries, ...section.entries], sealed, ...(droppedUntil && { droppedUntil }) };
}

/** What stands between two seals. */
class Section {
  entries: LedgerEntry[] = [];
  readonly #parts: string[] = [];
  #issuerFingerprint: string | undefined;

  get text(): string {
    return this.#parts.join(',');
  }

  add(part: string): void {
    this.#parts.push(part);
    const entry = entryIn(part);
    const issuerFingerprint = this.#issuerFingerprint;
    if (entry !== undefined) this.entries.push({ ...entry, ...(issuerFingerprint && { issuerFingerprint }) });
    else this.#issuerFingerprint = ISSUER.exec(part)?.[1];
    const [head, lives, ...rest] = part.split('=');
    if (head === ISSUED && lives !== undefined && rest.length === 0) this.#dateAll(lives.split('.'));
  }

  #dateAll(lives: readonly string[]): void {
    this.entries = this.entries.map((each, index) => {
      const life = lives[index] ?? '';
      if (!LIFE.test(life)) return each;
      return { ...each, issuedAt: new Date(each.notAfter.getTime() - Number.parseInt(life, 36) * 1_000) };
    });
  }
}

/** Whether one of these serial numbers may stand in it; reading the text takes much longer. */
export function mayList(text: string, serials: ReadonlySet<string>): boolean {
  return text.split(',').some((part) => serials.has(part.slice(0, Math.max(0, part.indexOf('=')))));
}

function entryIn(part: string): Pick<LedgerEntry, 'serialNumber' | 'notAfter' | 'externalId'> | undefined {
  const [serialNumber = '', end, externalId, ...rest] = part.split('=');
  const notAfter = rest.length === 0 ? parseRfc3339(end) : undefined;
  if (notAfter === undefined || !SERIAL.test(serialNumber)) return undefined;
  return { serialNumber, notAfter, ...externalIdOf(externalId) };
}

/** The issuer with which a ledger begins, and the rest of the text: most ledgers of a cluster begin with the same few. */
export function issuerApart(text: string): readonly [issuer: string, rest: string] {
  const [issuer = ''] = /^@[0-9a-f]{64},/.exec(text) ?? [];
  return [issuer, text.slice(issuer.length)];
}

/** Whether a text names an issuer: the first versions didn't. */
export function namesIssuers(text: string): boolean {
  return text.includes(ISSUER_MARK);
}

/**
 * The parts of a text with these entries, in order, up to the first for which there is no room, and the entries from there.
 * Those of one authority that are sealed stand together.
 */
export function writeEntries(
  entries: readonly LedgerEntry[],
  mostBytes: number,
  sealing?: Sealing,
): { readonly parts: readonly string[]; readonly left: readonly LedgerEntry[] } {
  const groups = Map.groupBy(entries, ({ sealedFor }) => sealedFor);
  const parts: string[] = [];
  const left: LedgerEntry[] = [];
  let room = mostBytes;
  for (const [authority, each] of groups) {
    const written =
      left.length > 0 ? { parts: [], left: each, bytes: 0 } : writeGroup(each, room - sealBytes(authority));
    left.push(...written.left);
    if (written.parts.length === 0) continue;
    parts.push(...written.parts);
    room -= written.bytes + sealBytes(authority);
    if (authority === undefined || sealing === undefined) continue;
    const mac = sealing.seal.sign({ authority, namespace: sealing.namespace }, written.parts.join(','));
    parts.push(`${SEAL}=${mac ?? ''}=${authority}`);
  }
  return { parts, left };
}

/** Ends entries that have no seal, where others follow. */
export const NO_SEAL = `${SEAL}=`;

export function droppedPart(until: Date): string {
  return `${DROPPED}=${toRfc3339(until)}`;
}

function sealBytes(authority: string | undefined): number {
  return authority === undefined ? 0 : SEAL.length + MAC_LENGTH + authority.length + 3;
}

function writeGroup(entries: readonly LedgerEntry[], mostBytes: number) {
  const parts: string[] = [];
  const lives: string[] = [];
  const isDated = entries.some((each) => lifeOf(each) !== '');
  let bytes = isDated ? ISSUED.length + 1 : 0;
  let issuer: string | undefined;
  let left: readonly LedgerEntry[] = [];
  for (const [index, entry] of entries.entries()) {
    const isSame = entry.issuerFingerprint === issuer;
    const more = [...(isSame ? [] : [`${ISSUER_MARK}${entry.issuerFingerprint ?? ''}`]), written(entry)];
    const life = lifeOf(entry);
    const added = more.reduce((sum, part) => sum + Buffer.byteLength(part) + 1, isDated ? life.length + 1 : 0);
    if (bytes + added > mostBytes) {
      left = entries.slice(index);
      break;
    }
    bytes += added;
    parts.push(...more);
    lives.push(life);
    issuer = entry.issuerFingerprint;
  }
  if (lives.some((life) => life !== '')) parts.push(`${ISSUED}=${lives.join('.')}`);
  return { parts, left, bytes };
}

function written({ serialNumber, notAfter, externalId = '' }: LedgerEntry): string {
  const isKept = externalId !== '' && externalId.length <= LONGEST_EXTERNAL_ID;
  const id = isKept ? `=${externalId.replace(/[%,=]/g, encodeURIComponent)}` : '';
  return `${serialNumber}=${toRfc3339(notAfter)}${id}`;
}

/** Rounded up, so that the moment of issue is that or earlier; empty where it is unknown, or after the end. */
function lifeOf({ notAfter, issuedAt }: LedgerEntry): string {
  if (issuedAt === undefined) return '';
  const life = Math.ceil((notAfter.getTime() - issuedAt.getTime()) / 1_000).toString(36);
  return LIFE.test(life) ? life : '';
}

function externalIdOf(text = ''): Pick<LedgerEntry, 'externalId'> {
  try {
    return text === '' ? {} : { externalId: decodeURIComponent(text) };
  } catch {
    return {};
  }
}

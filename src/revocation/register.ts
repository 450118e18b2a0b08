import { parseRfc3339, toRfc3339 } from '../api/conditions.ts';
import { REVOCATION_REASONS, type RevocationReason } from '../api/revocation.ts';
import type { LedgerEntry } from '../certificate/secret/ledger.ts';

/** A certificate that an authority is to revoke, or has revoked. */
export interface Registered extends LedgerEntry {
  readonly reason: RevocationReason;
  /** When that was noted down: the date of revocation in a CRL. */
  readonly askedAt: Date;
  /** When the authority had done it; undefined while it is owed. */
  readonly revokedAt?: Date | undefined;
  /** The ClientCertificate whose it was, `namespace/name`; undefined where none is left, and of one that is done. */
  readonly owner?: string | undefined;
  /** That of the ClientCertificate; undefined where that is unknown. */
  readonly namespace?: string | undefined;
}

/** By serial number. */
export type Register = ReadonlyMap<string, Registered>;

export const MOST_REGISTERED = 20_000;
export const MOST_OWED = 2_000;
/** Of them a namespace may have so many parts of where several namespaces share an authority. */
export const SHARE = 4;
/** A Secret takes 1 MiB. A line takes 48 bytes when it is done; while it is owed the id of an authority alone may take 3 KiB. */
export const MOST_REGISTER_BYTES = 1_040_000;

const FIELD = ' ';
const NONE = '-';
const GROUP_LINE_BYTES = 66 + 64;
const SERIAL = /^[\w-]{2,27}$/;
const REASON = /^\d$/;
const GROUP = /^@([0-9a-f]{64})?(?: ([-a-z0-9]{1,63}))?$/;

/**
 * The register as text: a line for each CA certificate and namespace, `@<fingerprint> <namespace>`, and below it one for each
 * certificate, `<serial> <notAfter> <askedAt> <reason> <revokedAt>`: the serial number as base64url, times in base36 seconds, the last one
 * counted from askedAt; while it is owed with the owner and the id that the authority gave it.
 */
export function writeRegister(register: Register): string {
  return [...Map.groupBy(register.values(), groupOf)]
    .flatMap(([group, entries]) => [group, ...entries.map(lineOf)])
    .map((line) => `${line}\n`)
    .join('');
}

function groupOf({ issuerFingerprint = '', namespace }: Pick<Registered, 'issuerFingerprint' | 'namespace'>): string {
  return namespace === undefined ? `@${issuerFingerprint}` : `@${issuerFingerprint}${FIELD}${namespace}`;
}

/** Lines that can't be read are left out. */
export function readRegister(text: string): Register {
  const register = new Map<string, Registered>();
  let group: Pick<Registered, 'issuerFingerprint' | 'namespace'> = {};
  for (const line of text.split('\n')) {
    if (line.startsWith('@')) {
      const [, issuerFingerprint, namespace] = GROUP.exec(line) ?? [];
      group = { ...(issuerFingerprint && { issuerFingerprint }), ...(namespace && { namespace }) };
    } else {
      const read = entryOf(line, group);
      if (read !== undefined) register.set(read.serialNumber, read);
    }
  }
  return register;
}

function lineOf({ serialNumber, notAfter, askedAt, reason, revokedAt, owner, externalId }: Registered): string {
  const serial = Buffer.from(serialNumber, 'hex').toString('base64url');
  const code = String(REVOCATION_REASONS.indexOf(reason));
  const asked = [serial, base36(secondsOf(notAfter)), base36(secondsOf(askedAt)), code];
  const rest =
    revokedAt === undefined
      ? [NONE, owner ?? NONE, encoded(externalId)]
      : [base36(Math.max(0, secondsOf(revokedAt) - secondsOf(askedAt)))];
  return [...asked, ...rest].join(FIELD);
}

function entryOf(line: string, group: Pick<Registered, 'issuerFingerprint' | 'namespace'>): Registered | undefined {
  const [serial = '', end, asked, code = '', done, owner = NONE, id = NONE] = line.split(FIELD);
  const notAfter = momentOf(end);
  const askedAt = momentOf(asked);
  const reason = REASON.test(code) ? REVOCATION_REASONS[Number(code)] : undefined;
  if (!SERIAL.test(serial) || notAfter === undefined || askedAt === undefined || reason === undefined) return undefined;
  return {
    serialNumber: Buffer.from(serial, 'base64url').toString('hex'),
    notAfter,
    askedAt,
    reason,
    revokedAt: momentOf(done, secondsOf(askedAt)),
    ...group,
    ...(owner !== NONE && { owner }),
    ...(id !== NONE && { externalId: decoded(id) }),
  };
}

function secondsOf(moment: Date): number {
  return Math.floor(moment.getTime() / 1_000);
}

function base36(seconds: number): string {
  return seconds.toString(36);
}

function momentOf(text = '', fromSeconds = 0): Date | undefined {
  if (!/^[0-9a-z]{1,8}$/.test(text)) return undefined;
  const moment = new Date((Number.parseInt(text, 36) + fromSeconds) * 1_000);
  // What toRfc3339 can't write would be refused as a status.
  return parseRfc3339(toRfc3339(moment));
}

function encoded(id = ''): string {
  const text = encodeURIComponent(id.toWellFormed());
  return text === '' ? NONE : text.replace(/^-$/, '%2D');
}

function decoded(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}

/** What is to be noted down, see addTo. */
export interface Addition extends LedgerEntry {
  readonly reason: RevocationReason;
  readonly owner?: string | undefined;
}

/**
 * The register with what is asked for; `left` is what there is no room for. The first reason stays, but a compromised key. With
 * `isShared` no namespace takes the room of all others.
 */
export function addTo(
  register: Register,
  additions: Iterable<Addition>,
  now: Date,
  isShared = false,
): { readonly register: Register; readonly left: readonly Addition[] } {
  const next = new Map(register);
  const left: Addition[] = [];
  let owed = owedIn(register).length;
  let bytes: number | undefined;
  const groups = new Set([...register.values()].map(groupOf));
  const shares = new Shares(register, isShared);
  for (const each of additions) {
    const { serialNumber, notAfter, issuerFingerprint, externalId, reason, owner } = each;
    const before = next.get(serialNumber);
    // A CRL may change its reason (RFC 5280, section 5.3.1 sets no rule); a CA that was asked once is not asked again.
    if (before !== undefined) {
      if (reason === 'keyCompromise' && before.reason !== reason) next.set(serialNumber, { ...before, reason });
    } else if (notAfter > now) {
      const namespace = owner?.split('/')[0];
      const entry = { serialNumber, notAfter, issuerFingerprint, externalId, reason, owner, namespace, askedAt: now };
      bytes ??= writeRegister(register).length;
      const more = lineOf(entry).length + 1 + (groups.has(groupOf(entry)) ? 0 : GROUP_LINE_BYTES);
      const isFull = next.size >= MOST_REGISTERED || owed >= MOST_OWED || bytes + more > MOST_REGISTER_BYTES;
      if (isFull || !shares.take(namespace)) left.push(each);
      else {
        owed++;
        bytes += more;
        groups.add(groupOf(entry));
        next.set(serialNumber, entry);
      }
    }
  }
  return { register: next, left };
}

/** How much of a register each namespace has. */
class Shares {
  readonly #all = new Map<string, number>();
  readonly #owed = new Map<string, number>();
  readonly #isShared: boolean;

  constructor(register: Register, isShared: boolean) {
    this.#isShared = isShared;
    if (isShared)
      for (const { namespace, revokedAt } of register.values()) this.#count(namespace, revokedAt === undefined);
  }

  /** False where the namespace has its share already. */
  take(namespace: string | undefined): boolean {
    if (!this.#isShared || namespace === undefined) return true;
    const [all = 0, owed = 0] = [this.#all.get(namespace), this.#owed.get(namespace)];
    if (all >= MOST_REGISTERED / SHARE || owed >= MOST_OWED / SHARE) return false;
    this.#count(namespace, true);
    return true;
  }

  #count(namespace: string | undefined, isOwed: boolean): void {
    if (namespace === undefined) return;
    this.#all.set(namespace, (this.#all.get(namespace) ?? 0) + 1);
    if (isOwed) this.#owed.set(namespace, (this.#owed.get(namespace) ?? 0) + 1);
  }
}

export function owedIn(register: Register): Registered[] {
  return [...register.values()].filter(({ revokedAt }) => revokedAt === undefined);
}

/** The register with these done. */
export function markRevoked(register: Register, serials: Iterable<string>, now: Date): Register {
  const next = new Map(register);
  for (const serial of serials) {
    const entry = next.get(serial);
    if (entry !== undefined) next.set(serial, { ...entry, revokedAt: now });
  }
  return next;
}

/**
 * Without those whose certificate has expired `graceMs` ago: nobody takes them any more, and a CRL lists a certificate once
 * beyond its end (RFC 5280, section 3.3).
 */
export function withoutExpired(register: Register, graceMs: number, now: Date): Register {
  const isKept = ({ notAfter }: Registered) => notAfter.getTime() + graceMs > now.getTime();
  return [...register.values()].every(isKept) ? register : new Map([...register].filter(([, entry]) => isKept(entry)));
}

/** Whether one is new, or has another reason; those that have expired are left out with the next write. */
export function hasMore(register: Register, before: Register): boolean {
  return [...register].some(([serial, entry]) => before.get(serial) !== entry);
}

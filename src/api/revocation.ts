import { parseRfc3339 } from './conditions.ts';
import { parseDuration } from './duration.ts';
import type { RevocationSpec, UpperCRL } from './generated/types.ts';

/** The reasons of RFC 5280 that can be said of a client certificate. */
export const REVOCATION_REASONS = [
  'unspecified',
  'keyCompromise',
  'affiliationChanged',
  'superseded',
  'cessationOfOperation',
] as const;
export type RevocationReason = (typeof REVOCATION_REASONS)[number];

/** `spec.revocation` of an authority, with every default filled in. */
export interface Revocation {
  readonly revokesSuperseded: boolean;
  readonly revokesDeleted: boolean;
  readonly revokesViolations: boolean;
  readonly delayMs: number;
  readonly serials: readonly SerialToRevoke[];
  /** Where verifiers reach the responder; without a slash at the end. */
  readonly url: string | undefined;
  readonly crlValidityMs: number;
  /** Whether a CRL is kept while nothing is revoked: verifiers that ask for one refuse everybody without it. */
  readonly keepsCrl: boolean;
  /** Where the CRLs of the CAs above those of Certwheel are. */
  readonly upperCrls: readonly UpperCRL[];
}

export interface SerialToRevoke {
  /** Lower-case hex. */
  readonly serialNumber: string;
  readonly reason: RevocationReason;
}

/** What the annotations of a ClientCertificate ask to revoke. */
export interface RevocationRequest {
  readonly serials: readonly SerialToRevoke[];
  readonly issuedBefore: { readonly moment: Date; readonly reason: RevocationReason } | undefined;
  /** The part that can't be read, with the rest of a sentence that says how to write it; undefined where there is none. */
  readonly unread: string | undefined;
}

export const REVOKE_ANNOTATION = 'certwheel.io/revoke';
export const REVOKE_ISSUED_BEFORE_ANNOTATION = 'certwheel.io/revoke-issued-before';

const HOUR_MS = 3_600_000;
/** A serial number has 20 octets at most (RFC 5280, section 4.1.2.2). */
const SERIAL = /^(?:[0-9a-f]{2}){1,20}$/;
/** More than a ledger lists of one issuer. */
const MOST_SERIALS = 300;
const LONGEST_SHOWN = 64;

export function revocation(spec: RevocationSpec | undefined): Revocation {
  const duration = (text: string | undefined, byDefault: number) =>
    text === undefined ? byDefault : (parseDuration(text) ?? byDefault);
  return {
    revokesSuperseded: spec?.superseded === 'Revoke',
    revokesDeleted: spec?.deleted === 'Revoke',
    revokesViolations: spec?.policyViolation === 'Revoke',
    delayMs: duration(spec?.delay, HOUR_MS),
    serials: (spec?.serials ?? []).flatMap((each) => readSerial(each) ?? []),
    url: spec?.url?.replace(/\/+$/, ''),
    crlValidityMs: duration(spec?.crl?.validity, 7 * 24 * HOUR_MS),
    keepsCrl: spec !== undefined,
    upperCrls: spec?.crl?.upper ?? [],
  };
}

/** What the two annotations ask for; undefined where neither is there. Serial numbers are separated by commas. */
export function revocationRequest(
  annotations: Readonly<Record<string, string>> | undefined,
): RevocationRequest | undefined {
  const revoke = annotations?.[REVOKE_ANNOTATION];
  const before = annotations?.[REVOKE_ISSUED_BEFORE_ANNOTATION];
  if (revoke === undefined && before === undefined) return undefined;
  const all = (revoke ?? '')
    .split(',', MOST_SERIALS + 1)
    .map((part) => part.trim())
    .filter((part) => part !== '');
  const parts = all.slice(0, MOST_SERIALS);
  const serials = parts.flatMap((part) => readSerial(part) ?? []);
  const unreadSerial = parts.find((part) => readSerial(part) === undefined);
  const issuedBefore = before === undefined ? undefined : readMoment(before.trim());
  const unread =
    (all.length > MOST_SERIALS
      ? `${REVOKE_ANNOTATION} from serial number ${MOST_SERIALS + 1} on: use ${REVOKE_ISSUED_BEFORE_ANNOTATION} for so many`
      : undefined) ??
    (unreadSerial === undefined
      ? undefined
      : `${REVOKE_ANNOTATION} "${unreadSerial.slice(0, LONGEST_SHOWN)}": write a serial number and a reason, like 3fa9c1=keyCompromise`) ??
    (before === undefined || issuedBefore !== undefined
      ? undefined
      : `${REVOKE_ISSUED_BEFORE_ANNOTATION} "${before.slice(0, LONGEST_SHOWN)}": write a moment and a reason, like 2026-06-01T12:00:00Z=keyCompromise`);
  return { serials, issuedBefore, unread };
}

/** Hex in both cases, with or without colons and leading zeros, as OpenSSL, Go, browsers and logs print it. */
function readSerial(text: string): SerialToRevoke | undefined {
  const [serial = '', reason, ...rest] = text.split('=');
  const serialNumber = withoutPadding(serial.replaceAll(':', '').toLowerCase());
  const read = readReason(reason);
  return rest.length === 0 && read !== undefined && SERIAL.test(serialNumber)
    ? { serialNumber, reason: read }
    : undefined;
}

/** A sign octet comes from DER, and Go leaves the first zero of an octet out. */
function withoutPadding(hex: string): string {
  const even = hex.length % 2 === 0 ? hex : `0${hex}`;
  return even.replace(/^(?:00)+(?=..)/, '');
}

function readMoment(text: string): RevocationRequest['issuedBefore'] {
  const [time, reason, ...rest] = text.split('=');
  const moment = parseRfc3339(time);
  const read = readReason(reason);
  return rest.length === 0 && read !== undefined && moment !== undefined ? { moment, reason: read } : undefined;
}

function readReason(text = 'unspecified'): RevocationReason | undefined {
  return REVOCATION_REASONS.find((each) => each === text);
}

import { children, readElement } from '../../pki/asn1/read.ts';
import { TAG } from '../../pki/asn1/write.ts';
import { CERTIFICATE_LABEL, type CertificateView } from '../../pki/certificate.ts';
import { CSR_LABEL } from '../../pki/csr.ts';
import { parsePem } from '../../pki/pem.ts';
import { membersOf } from '../http/json-members.ts';

const DAY_MS = 86_400_000;
/** No certificate with its chain, and no CSR, comes near it. */
const LONGEST_PEM = 65_536;
/** That of RSA keys of 4096 bits has 550 bytes. */
const LONGEST_PUBLIC_KEY = 4_096;

/** A client certificate as the API states it; nothing of it is believed without the certificate itself. */
export interface ListedCertificate {
  /** What Cloudflare calls it. */
  readonly id: string;
  /** Lower-case hex of even length; empty where the API states none that can be read. */
  readonly serialNumber: string;
  /** PEM. */
  readonly certificate: string;
  /** DER of its SubjectPublicKeyInfo; undefined where none can be read. */
  readonly publicKey: Buffer | undefined;
  /** PEM of the request; empty where the API doesn't repeat it. */
  readonly csr: string;
  readonly validityDays: number | undefined;
  /** By the API's own clock. */
  readonly issuedOn: Date | undefined;
  readonly status: string;
}

const ID = /^[-0-9A-Za-z]{1,64}$/;
const VERSION_TAG = 0xa0;

/** Undefined for what has no id that can stand in a path. */
export function readListed(value: unknown): ListedCertificate | undefined {
  const { id, serial_number, certificate, csr, validity_days, issued_on, status } = membersOf(value);
  if (typeof id !== 'string' || !ID.test(id)) return undefined;
  const issuedOn = typeof issued_on === 'string' ? new Date(issued_on) : undefined;
  return {
    id,
    serialNumber: serialOf(serial_number),
    certificate: textOf(certificate),
    publicKey: publicKeyIn(textOf(certificate)),
    csr: textOf(csr),
    validityDays: Number.isSafeInteger(validity_days) ? Number(validity_days) : undefined,
    issuedOn: issuedOn !== undefined && Number.isFinite(issuedOn.getTime()) ? issuedOn : undefined,
    status: typeof status === 'string' ? status : '',
  };
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

/**
 * Read with each page, and once: many requests may wait for one list, and to read the certificates of all of it for each
 * would hold up the event loop.
 */
function publicKeyIn(certificate: string): Buffer | undefined {
  const der = derIn(certificate, CERTIFICATE_LABEL);
  if (der === undefined) return undefined;
  try {
    const [tbs] = children(readElement(der, TAG.sequence, 'certificate'));
    const fields = tbs === undefined ? [] : children(tbs);
    // The version is left out where it is v1 (RFC 5280 section 4.1).
    const found = fields[fields[0]?.tag === VERSION_TAG ? 6 : 5]?.bytes;
    // A copy, since the rest of the certificate would stay with it.
    return found === undefined || found.length > LONGEST_PUBLIC_KEY ? undefined : Buffer.from(found);
  } catch {
    return undefined;
  }
}

/** The API states serial numbers as hex, in the docs with either case. */
function serialOf(value: unknown): string {
  const text = typeof value === 'string' ? value.replaceAll(':', '').toLowerCase() : '';
  if (!/^[0-9a-f]{1,64}$/.test(text)) return '';
  const hex = text.replace(/^0+(?=.)/, '');
  return hex.length % 2 === 0 ? hex : `0${hex}`;
}

/** Whole days, rounded up: nothing shorter can be asked for. No more than the CA has left, if that is a day. */
export function daysFor(lifetimeMs: number, anchors: readonly Pick<CertificateView, 'notAfter'>[], now: Date): number {
  // No verifier takes what outlives its CA. The one that signs now may be any of them.
  const endMs = Math.max(...anchors.map(({ notAfter }) => notAfter.getTime()));
  const daysLeft = Math.floor((endMs - now.getTime()) / DAY_MS);
  return Math.max(1, Math.min(Math.ceil(lifetimeMs / DAY_MS), daysLeft));
}

/** What a request asks for, to find the certificate that answers it. */
export interface Request {
  /** DER of the SubjectPublicKeyInfo. */
  readonly publicKey: Buffer;
  /** DER. */
  readonly csr: Buffer;
  readonly days: number;
}

/**
 * The certificate that answers a request whose answer was lost: over the same key and for the same CSR but its signature,
 * which is another one each time. None that `isPublished`, since a key may be kept over renewals, and none that has used up half of its life.
 * Of several, which two replicas can have asked for, the first one.
 */
export function answerTo(
  request: Request,
  listed: readonly ListedCertificate[],
  isPublished: (serialNumber: string) => boolean,
  now: Date,
): ListedCertificate | undefined {
  const wanted = infoOf(request.csr);
  return listed
    .filter(({ status, publicKey }) => status === 'active' && publicKey?.equals(request.publicKey) === true)
    .filter(({ validityDays }) => validityDays === undefined || validityDays === request.days)
    .filter(({ issuedOn }) => !isHalfOver(issuedOn, request.days, now))
    .filter(({ serialNumber }) => serialNumber === '' || !isPublished(serialNumber))
    .filter(({ csr }) => csr === '' || isSameInfo(csr, wanted))
    .toSorted((one, other) => orderOf(one).localeCompare(orderOf(other)))[0];
}

function isHalfOver(issuedOn: Date | undefined, days: number, now: Date): boolean {
  return issuedOn !== undefined && now.getTime() > issuedOn.getTime() + (days * DAY_MS) / 2;
}

function orderOf({ issuedOn, id }: ListedCertificate): string {
  return `${issuedOn?.toISOString() ?? ''} ${id}`;
}

function isSameInfo(csr: string, wanted: Buffer): boolean {
  const der = derIn(csr, CSR_LABEL);
  try {
    return der !== undefined && infoOf(der).equals(wanted);
  } catch {
    return false;
  }
}

/** CertificationRequestInfo (RFC 2986 section 4.1): all of a CSR but its signature. */
function infoOf(csr: Buffer): Buffer {
  const [info] = children(readElement(csr, TAG.sequence, 'CSR'));
  if (info === undefined) throw new Error('the CSR is empty');
  return info.bytes;
}

/** The first block of that label; undefined for what is no PEM. */
function derIn(pem: string, label: string): Buffer | undefined {
  try {
    return parsePem(pem, { strict: false, maxBytes: LONGEST_PEM }).find((block) => block.label === label)?.der;
  } catch {
    return undefined;
  }
}

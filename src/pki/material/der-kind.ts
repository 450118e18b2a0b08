export type DerKind =
  | 'certificate'
  | 'trusted certificate'
  | 'certificate request'
  | 'CRL'
  | 'PKCS#8'
  | 'encrypted PKCS#8'
  | 'PKCS#1'
  | 'SEC 1'
  | 'DSA'
  | 'public key'
  | 'RSA public key'
  | 'PKCS#12'
  | 'PKCS#7';

/** Content of one value, as positions in the bytes. */
interface Value {
  readonly tag: number;
  readonly start: number;
  readonly end: number;
}

const INTEGER = 0x02;
const BIT_STRING = 0x03;
const OCTET_STRING = 0x04;
const OID = 0x06;
const SEQUENCE = 0x30;
const VERSION = 0xa0;
const TIMES = [0x17, 0x18];
/** 1.2.840.113549.1.7: the content types of PKCS#7. */
const PKCS7_OIDS = '2a864886f70d0107';
/** An RSA private key has nine numbers, the most of all structures that are recognised here. */
const MOST_VALUES = 9;

/**
 * The kind of a DER structure, by its first tags; undefined for any other bytes. Reads BER too and doesn't read
 * what is missing at the end, because PKCS#12 and PKCS#7 files often have indefinite lengths. Proves nothing.
 */
export function derKind(bytes: Buffer): DerKind | undefined {
  const outer = valueAt(bytes, 0, bytes.length);
  if (outer?.tag !== SEQUENCE) return undefined;
  const values = valuesOf(bytes, outer);
  switch (values[0]?.tag) {
    case OID:
      return startsWith(bytes, values[0], PKCS7_OIDS) ? 'PKCS#7' : undefined;
    case INTEGER:
      return kindWithVersion(bytes, values);
    case SEQUENCE:
      return kindWithEnvelope(bytes, values, outer.end);
    default:
      return undefined;
  }
}

function kindWithVersion(bytes: Buffer, [version, second, third, ...more]: readonly Value[]): DerKind | undefined {
  const number = version && version.end - version.start === 1 ? bytes[version.start] : undefined;
  if (second?.tag === INTEGER) {
    if (third === undefined) return 'RSA public key';
    if (number !== 0 || third.tag !== INTEGER) return undefined;
    return more.length > 3 ? 'PKCS#1' : 'DSA';
  }
  if (second?.tag === OCTET_STRING && number === 1) return 'SEC 1';
  if (second?.tag !== SEQUENCE) return undefined;
  const [first] = valuesOf(bytes, second);
  if (first?.tag !== OID) return undefined;
  if (number === 3) return startsWith(bytes, first, PKCS7_OIDS) ? 'PKCS#12' : undefined;
  return third?.tag === OCTET_STRING ? 'PKCS#8' : undefined;
}

function kindWithEnvelope(bytes: Buffer, [body, second]: readonly Value[], end: number): DerKind | undefined {
  if (body === undefined) return undefined;
  const [first, ...rest] = valuesOf(bytes, body);
  if (first?.tag === OID) {
    if (second?.tag === BIT_STRING) return 'public key';
    return second?.tag === OCTET_STRING ? 'encrypted PKCS#8' : undefined;
  }
  if (second?.tag !== SEQUENCE) return undefined;
  // A CRL of version 1 begins with its algorithm, everything else with a number.
  const fields = first?.tag === SEQUENCE ? [first, ...rest] : rest;
  const [algorithm, name, third] = fields;
  if (algorithm?.tag !== SEQUENCE || name?.tag !== SEQUENCE) {
    return first?.tag === VERSION ? certificateKind(bytes, end) : undefined;
  }
  if (third !== undefined && TIMES.includes(third.tag)) return 'CRL';
  if (first?.tag === VERSION || third?.tag === SEQUENCE) return certificateKind(bytes, end);
  return first?.tag === INTEGER ? 'certificate request' : undefined;
}

// OpenSSL writes the trust settings of a TRUSTED CERTIFICATE as a second value behind the certificate.
function certificateKind(bytes: Buffer, end: number): DerKind {
  const settings = valueAt(bytes, end, bytes.length);
  if (settings?.tag !== SEQUENCE || settings.end !== bytes.length) return 'certificate';
  const [first] = valuesOf(bytes, settings);
  const isCertificate = first?.tag === SEQUENCE && valuesOf(bytes, first).length > 2;
  return isCertificate ? 'certificate' : 'trusted certificate';
}

export interface KeyAlgorithm {
  /** Its content as hex. */
  readonly oid: string;
  /** Whether an EC key spells out its curve instead of naming it. */
  readonly explicitCurve: boolean;
}

/** The algorithm of a private key in PKCS#8 or SEC 1, its OID as hex of the DER content. */
export function keyAlgorithm(bytes: Buffer, kind: 'PKCS#8' | 'SEC 1'): KeyAlgorithm | undefined {
  const outer = valueAt(bytes, 0, bytes.length);
  const values = outer ? valuesOf(bytes, outer) : [];
  if (kind === 'SEC 1') {
    const [parameters] = values[2]?.tag === 0xa0 ? valuesOf(bytes, values[2]) : [];
    return { oid: EC_OID, explicitCurve: parameters?.tag === SEQUENCE };
  }
  const [oid, parameters] = values[1] ? valuesOf(bytes, values[1]) : [];
  if (oid === undefined) return undefined;
  const hex = bytes.toString('hex', oid.start, Math.min(oid.end, oid.start + 16));
  return { oid: hex, explicitCurve: hex === EC_OID && parameters?.tag === SEQUENCE };
}

/** 1.2.840.10045.2.1. */
export const EC_OID = '2a8648ce3d0201';

function valueAt(bytes: Buffer, at: number, end: number): Value | undefined {
  const tag = bytes[at];
  const first = bytes[at + 1];
  if (tag === undefined || first === undefined || at + 2 > end) return undefined;
  if (first < 0x80) return { tag, start: at + 2, end: Math.min(end, at + 2 + first) };
  const count = first & 0x7f;
  const start = at + 2 + count;
  if (count > 4 || start > end) return undefined;
  const length = count === 0 ? end : bytes.readUIntBE(at + 2, count);
  return { tag, start, end: Math.min(end, start + length) };
}

function valuesOf(bytes: Buffer, parent: Value): Value[] {
  const found: Value[] = [];
  for (let at = parent.start; at < parent.end && found.length < MOST_VALUES; ) {
    const value = valueAt(bytes, at, parent.end);
    if (value === undefined) break;
    found.push(value);
    at = value.end;
  }
  return found;
}

function startsWith(bytes: Buffer, { start, end }: Value, hex: string): boolean {
  return bytes.toString('hex', start, Math.min(end, start + hex.length / 2)) === hex;
}

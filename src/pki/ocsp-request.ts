import { hash } from 'node:crypto';
import {
  children,
  type Element,
  expectTag,
  readBoolean,
  readBytesOfBits,
  readElement,
  readOid,
  readSmallInteger,
} from './asn1/read.ts';
import { TAG } from './asn1/write.ts';
import type { CertificateView } from './certificate.ts';

/** A certificate as a request names it (RFC 6960 section 4.1.1): by hashes of its issuer's name and key. */
export interface CertId {
  /** The CertID as it came: an answer repeats it. */
  readonly der: Buffer;
  /** Dotted decimals. */
  readonly hashAlgorithm: string;
  readonly issuerNameHash: Buffer;
  readonly issuerKeyHash: Buffer;
  /** Lower-case hex of even length, without a sign octet, as CertificateView has it. */
  readonly serialNumber: string;
}

export interface OcspRequest {
  readonly certificates: readonly CertId[];
  /** RFC 9654: an answer repeats it. */
  readonly nonce: Buffer | undefined;
}

/** Clients ask for one certificate, or for those of a chain; each takes a look-up. */
const MOST_CERTIFICATES = 8;
/** Requests for eight certificates with a nonce are below 1 KiB; a signed one with its certificates may be longer. */
export const MOST_REQUEST_BYTES = 16_384;
/** RFC 9654 section 2.1. */
const MOST_NONCE_BYTES = 128;

const NONCE = '1.3.6.1.5.5.7.48.1.2';
const HASHES: Readonly<Record<string, string>> = {
  '1.3.14.3.2.26': 'sha1',
  '2.16.840.1.101.3.4.2.1': 'sha256',
  '2.16.840.1.101.3.4.2.2': 'sha384',
  '2.16.840.1.101.3.4.2.3': 'sha512',
};

/**
 * Reads an OCSPRequest (DER). A signature on it is passed over: RFC 6960 section 4.1.2 leaves it to the responder, and answers
 * are public. Throws an Error for what is malformed, for too many certificates, and for a critical extension that isn't known.
 */
export function readOcspRequest(der: Buffer): OcspRequest {
  if (der.length > MOST_REQUEST_BYTES) throw new Error(`a request of more than ${MOST_REQUEST_BYTES} bytes`);
  const [tbs] = children(readElement(der, TAG.sequence, 'request'));
  const rest = children(expectTag(tbs, TAG.sequence, 'tbsRequest'));
  if (rest[0]?.tag === 0xa0) {
    const [version] = children(rest.shift() as Element);
    if (version === undefined || readSmallInteger(version, 'version') !== 0)
      throw new Error('a request of another version');
  }
  if (rest[0]?.tag === 0xa1) rest.shift();
  const list = children(expectTag(rest.shift(), TAG.sequence, 'requestList'));
  if (list.length === 0 || list.length > MOST_CERTIFICATES)
    throw new Error(`a request for ${list.length} certificates; 1 to ${MOST_CERTIFICATES} are answered`);
  const certificates = list.map(readRequest);
  const nonce = rest[0]?.tag === 0xa2 ? readNonce(rest[0]) : undefined;
  return { certificates, nonce };
}

/** Whether the request names a certificate of this CA. */
export function isOfIssuer(
  { hashAlgorithm, issuerNameHash, issuerKeyHash }: CertId,
  { subjectDer, publicKeyDer }: Pick<CertificateView, 'subjectDer' | 'publicKeyDer'>,
): boolean {
  const algorithm = HASHES[hashAlgorithm];
  if (algorithm === undefined) return false;
  const isSame = (bytes: Buffer, digest: Buffer) => hash(algorithm, bytes, 'buffer').equals(digest);
  return isSame(subjectDer, issuerNameHash) && isSame(keyBits(publicKeyDer), issuerKeyHash);
}

/** The bits of a SubjectPublicKeyInfo, without their headers: what RFC 6960 hashes as the key. */
export function keyBits(publicKeyDer: Buffer): Buffer {
  const [, bits] = children(readElement(publicKeyDer, TAG.sequence, 'public key'));
  return readBytesOfBits(bits, 'public key bits');
}

function readRequest(element: Element): CertId {
  const [id, extensions] = children(expectTag(element, TAG.sequence, 'Request'));
  if (extensions !== undefined) readExtensions(extensions);
  const { bytes, content } = expectTag(id, TAG.sequence, 'CertID');
  const [algorithm, name, key, serial] = children({ tag: TAG.sequence, bytes, content });
  const [dotted] = children(expectTag(algorithm, TAG.sequence, 'hashAlgorithm'));
  return {
    der: bytes,
    hashAlgorithm: readOid(expectTag(dotted, TAG.oid, 'hashAlgorithm'), 'hashAlgorithm'),
    issuerNameHash: expectTag(name, TAG.octetString, 'issuerNameHash').content,
    issuerKeyHash: expectTag(key, TAG.octetString, 'issuerKeyHash').content,
    serialNumber: serialOf(expectTag(serial, TAG.integer, 'serialNumber').content),
  };
}

function serialOf(content: Buffer): string {
  if (content.length === 0 || content.length > 21) throw new Error('a serial number of no or of more than 20 octets');
  const isPadded = content.length > 1 && content[0] === 0;
  return content.subarray(isPadded ? 1 : 0).toString('hex');
}

function readNonce(element: Element): Buffer | undefined {
  const value = readExtensions(element).get(NONCE);
  if (value === undefined) return undefined;
  const { content } = readElement(value, TAG.octetString, 'nonce');
  if (content.length === 0 || content.length > MOST_NONCE_BYTES)
    throw new Error(`a nonce of ${content.length} bytes; 1 to ${MOST_NONCE_BYTES} are allowed`);
  return content;
}

/** By object identifier, their values. */
function readExtensions(element: Element): ReadonlyMap<string, Buffer> {
  const found = new Map<string, Buffer>();
  const [list] = children(element);
  for (const each of children(expectTag(list, TAG.sequence, 'extensions'))) {
    const parts = children(expectTag(each, TAG.sequence, 'extension'));
    const dotted = readOid(expectTag(parts.shift(), TAG.oid, 'extension'), 'extension');
    const isCritical = parts[0]?.tag === TAG.boolean && readBoolean(parts.shift() as Element);
    const value = expectTag(parts.shift(), TAG.octetString, 'extension');
    if (isCritical && dotted !== NONCE) throw new Error(`the critical extension ${dotted}, which is not known here`);
    found.set(dotted, value.content);
  }
  return found;
}

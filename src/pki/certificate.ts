import { createPublicKey, hash, type KeyObject } from 'node:crypto';
import {
  children,
  type Element,
  expectTag,
  readBytesOfBits,
  readElement,
  readOid,
  readSmallInteger,
  readTime,
} from './asn1/read.ts';
import { TAG } from './asn1/write.ts';
import { type Extensions, readExtensions } from './extensions.ts';
import { type KeySpec, keySpecOfPublicKey, MAX_READ_RSA_BITS, publicKeyPin } from './keys.ts';
import { decodeName, type Subject } from './name.ts';
import { type PemBlock, parsePem, toPem } from './pem.ts';
import { isWeakSignature, signatureName, verifyBytes } from './signature.ts';

/** A parsed certificate: plain data, made once, passed everywhere. Nothing in it has been verified. */
export interface CertificateView extends Extensions {
  readonly der: Buffer;
  /** One block, with a newline at the end. */
  readonly pem: string;
  /** Lower-case hex of even length, without a leading zero byte. */
  readonly serialNumber: string;
  readonly subject: Subject;
  /** Attributes of the subject that Subject has no place for, as `type=value`. */
  readonly foreignAttributes: readonly string[];
  readonly subjectDer: Buffer;
  readonly issuerDer: Buffer;
  /** The names for messages: escaped, in written order. */
  readonly subjectText: string;
  readonly issuerText: string;
  /** Both moments belong to the validity. */
  readonly notBefore: Date;
  readonly notAfter: Date;
  /** SubjectPublicKeyInfo. */
  readonly publicKeyDer: Buffer;
  /** RFC 7469: base64 of the SHA-256 of `publicKeyDer`. */
  readonly publicKeyPin: string;
  /** Undefined for kinds of keys that Certwheel doesn't know. An RSA key may be weak. */
  readonly keySpec: KeySpec | undefined;
  /** Lower-case hex of the SHA-256 of `der`. */
  readonly fingerprintSHA256: string;
  /** A name such as `ecdsa-with-SHA256`; dotted decimals if Certwheel can't verify it. */
  readonly signatureAlgorithm: string;
}

export const CERTIFICATE_LABEL = 'CERTIFICATE';

/** The largest certificates in use (post-quantum ones) stay below. */
const MAX_CERTIFICATE_BYTES = 65_536;
/** RFC 5280 section 4.1.2.2 allows 20; some CAs add a sign byte. */
const MAX_SERIAL_BYTES = 21;

/** Reads one certificate, given as DER or as a PEM block. Throws an Error that says what is malformed. */
export function parseCertificate(input: Buffer | PemBlock): CertificateView {
  if (Buffer.isBuffer(input)) return parseDer(input);
  if (input.label !== CERTIFICATE_LABEL) throw new Error(`${input.label} where a certificate belongs`);
  return parseDer(input.der);
}

interface Bounds {
  readonly maxBytes?: number;
  /** How many certificates there may be: each may cost a signature, and none is read where there are too many. */
  readonly most?: number;
}

/** Reads a PEM text that holds certificates and nothing else, in its order. An empty text gives none. */
export function parseCertificates(
  pem: string,
  { most = Number.POSITIVE_INFINITY, ...size }: Bounds = {},
): CertificateView[] {
  const blocks = parsePem(pem, { strict: true, ...size });
  if (blocks.length > most) throw new Error(`${blocks.length} certificates; at most ${most} are read`);
  return blocks.map(parseCertificate);
}

function parseDer(der: Buffer): CertificateView {
  if (der.length > MAX_CERTIFICATE_BYTES) throw new Error(`a certificate over ${MAX_CERTIFICATE_BYTES} bytes`);
  const { tbs, algorithm } = readEnvelope(der);
  const fields = children(tbs);
  const version = fields[0]?.tag === VERSION_TAG ? readVersion(fields.shift()) : 1;
  const [serial, tbsAlgorithm, issuer, validity, subject, publicKey, ...optional] = fields;
  if (!expectTag(tbsAlgorithm, TAG.sequence, 'signature algorithm').bytes.equals(algorithm.bytes)) {
    // RFC 5280 section 4.1.1.2. One of the two is signed, the other is what a careless verifier believes.
    throw new Error('the certificate names two signature algorithms');
  }
  const [notBefore, notAfter] = children(expectTag(validity, TAG.sequence, 'validity'));
  const subjectDer = expectTag(subject, TAG.sequence, 'subject').bytes;
  const issuerDer = expectTag(issuer, TAG.sequence, 'issuer').bytes;
  const subjectName = decodeName(subjectDer);
  const sameName = subjectDer.equals(issuerDer);
  const publicKeyDer = expectTag(publicKey, TAG.sequence, 'public key').bytes;
  return {
    ...readExtensions(extensionList(optional, version)),
    der,
    pem: toPem(CERTIFICATE_LABEL, der),
    serialNumber: readSerial(serial),
    subject: subjectName.subject,
    foreignAttributes: subjectName.foreign,
    subjectDer,
    issuerDer,
    subjectText: subjectName.text,
    issuerText: sameName ? subjectName.text : decodeName(issuerDer).text,
    notBefore: readTime(notBefore, 'notBefore'),
    notAfter: readTime(notAfter, 'notAfter'),
    publicKeyDer,
    publicKeyPin: publicKeyPin(publicKeyDer),
    keySpec: keySpecOfPublicKey(publicKeyDer),
    fingerprintSHA256: hash('sha256', der, 'hex'),
    signatureAlgorithm: signatureName(algorithm.bytes) ?? readOid(children(algorithm)[0], 'signature algorithm'),
  };
}

const VERSION_TAG = 0xa0;
const EXTENSIONS_TAG = 0xa3;

function readEnvelope(der: Buffer): { tbs: Element; algorithm: Element; signature: Buffer } {
  const [tbs, algorithm, signature, ...more] = children(readElement(der, TAG.sequence, 'certificate'));
  if (more.length > 0) throw new Error('a certificate of more than three parts');
  return {
    tbs: expectTag(tbs, TAG.sequence, 'TBSCertificate'),
    algorithm: expectTag(algorithm, TAG.sequence, 'signature algorithm'),
    signature: readBytesOfBits(signature, 'signature'),
  };
}

function readVersion(field: Element | undefined): number {
  const [version] = field ? children(field) : [];
  const number = readSmallInteger(expectTag(version, TAG.integer, 'version'), 'version') + 1;
  if (number > 3) throw new Error(`a certificate of version ${number}`);
  return number;
}

function readSerial(field: Element | undefined): string {
  const { content } = expectTag(field, TAG.integer, 'serial number');
  const first = content[0];
  if (first === undefined || content.length > MAX_SERIAL_BYTES)
    throw new Error(`a serial number of ${content.length} bytes`);
  if (first >= 0x80) throw new Error('a negative serial number');
  return content.subarray(first === 0 && content.length > 1 ? 1 : 0).toString('hex');
}

// The unique identifiers [1] and [2] have been out of use since v3 came.
function extensionList(optional: readonly Element[], version: number): Element | undefined {
  const field = optional.at(-1);
  if (field?.tag !== EXTENSIONS_TAG) return undefined;
  if (version !== 3) throw new Error(`extensions in a certificate of version ${version}`);
  const [list, ...more] = children(field);
  if (more.length > 0) throw new Error('extensions are malformed');
  return list;
}

// A CA's key is used again and again, and to import it costs as much as half a verification.
const publicKeys = new WeakMap<Buffer, KeyObject>();

function publicKeyOf(view: Pick<CertificateView, 'publicKeyDer'>): KeyObject {
  let key = publicKeys.get(view.publicKeyDer);
  if (key === undefined) {
    key = createPublicKey({ key: view.publicKeyDer, format: 'der', type: 'spki' });
    publicKeys.set(view.publicKeyDer, key);
  }
  return key;
}

// Explicit curves, or moduli of 16 kbit, would let a certificate choose how long its verification takes. So would long
// exponents, for which there is no spec.
function isBounded(spec: KeySpec | undefined): boolean {
  return spec !== undefined && (spec.algorithm !== 'RSA' || spec.size <= MAX_READ_RSA_BITS);
}

type Signed = Pick<CertificateView, 'der' | 'signatureAlgorithm'>;

/**
 * Whether `issuer`'s key made `child`'s signature; names, dates and CA flags are not checked. Never throws; a key of a
 * kind or size that Certwheel doesn't read verifies nothing. A SHA-1 signature verifies: `weakSignature` is there to
 * refuse it by name.
 */
export function verifySignature(child: Signed, issuer: Pick<CertificateView, 'publicKeyDer' | 'keySpec'>): boolean {
  if (!isBounded(issuer.keySpec)) return false;
  try {
    const { tbs, signature } = readEnvelope(child.der);
    return verifyBytes(child.signatureAlgorithm, tbs.bytes, publicKeyOf(issuer), signature);
  } catch {
    return false;
  }
}

/** Each certificate once, at the place where it comes first. */
export function distinct(certificates: readonly CertificateView[]): CertificateView[] {
  return [...new Map(certificates.map((each) => [each.fingerprintSHA256, each])).values()];
}

/** The name of the signature's algorithm if that rests on a broken hash. */
export function weakSignature({ signatureAlgorithm }: Pick<CertificateView, 'signatureAlgorithm'>): string | undefined {
  return isWeakSignature(signatureAlgorithm) ? signatureAlgorithm : undefined;
}

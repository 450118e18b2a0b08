import type { KeyObject } from 'node:crypto';
import { bitString, explicit, integer, sequence, time } from './asn1/write.ts';
import type { CertificateView } from './certificate.ts';
import {
  authorityKeyIdExtension,
  caBasicConstraints,
  keyIdOf,
  LEAF_BASIC_CONSTRAINTS,
  nameExtensions,
  policyExtensions,
  subjectKeyIdExtension,
  usageExtensions,
} from './extensions.ts';
import { type KeySpec, keySpecOf, keySpecOfPublicKey, publicKeyDer } from './keys.ts';
import { encodeName, type Subject } from './name.ts';
import type { Names } from './san.ts';
import { algorithmIdentifierFor, signBytes, signBytesInPool, signsSlowly } from './signature.ts';

interface Validity {
  /** Inclusive, both of them; milliseconds are cut off. */
  readonly notBefore: Date;
  readonly notAfter: Date;
  /** Unsigned big-endian, 1 to 20 bytes, not zero: see `newSerialNumber`. */
  readonly serialNumber: Uint8Array;
}

export interface LeafRequest extends Validity {
  readonly ca: { readonly certificate: CertificateView; readonly key: KeyObject };
  /** SubjectPublicKeyInfo of the leaf. */
  readonly publicKeyDer: Buffer;
  readonly subject: Subject;
  readonly names: Names;
  /** cert-manager's names, see `Usage`. */
  readonly usages: readonly string[];
  /** Certificate policies (dotted decimals) that the CA's own constraints ask for. */
  readonly policies?: readonly string[];
}

export interface RootRequest extends Validity {
  readonly subject: Subject;
  /** The private key that becomes the CA's. */
  readonly key: KeyObject;
}

/**
 * Signs a client's certificate (RFC 5280) and returns its DER. Throws an Error if it has no identity, if subject, names
 * or usages can't be written, or if it would outlive the CA. That `ca.key` belongs to `ca.certificate` is for
 * `readCaPair` to prove.
 */
export function signLeaf(request: LeafRequest): Buffer {
  return writeCertificate(leafContent(request), request.ca.key);
}

/** The same in the thread pool where the signature takes long, and at once where it doesn't. */
export function signLeafAside(request: LeafRequest): Buffer | Promise<Buffer> {
  const content = leafContent(request);
  const { key } = request.ca;
  if (!signsSlowly(keySpecOf(key))) return writeCertificate(content, key);
  const tbs = tbsCertificate(content, keySpecOf(key));
  return signBytesInPool(tbs, key).then((signature) => signedCertificate(tbs, keySpecOf(key), signature));
}

function leafContent(request: LeafRequest): CertificateContent {
  const { ca, subject, names, usages, notAfter } = request;
  if (!ca.certificate.isCA) throw new Error(`${ca.certificate.subjectText} is not a CA`);
  if (notAfter > ca.certificate.notAfter) {
    throw new Error(
      `the certificate would end at ${notAfter.toISOString()}, its CA ends at ${ca.certificate.notAfter.toISOString()}`,
    );
  }
  if (usages.includes('cert sign') || usages.includes('crl sign'))
    throw new Error('a leaf signs neither certificates nor CRLs');
  if (keySpecOfPublicKey(request.publicKeyDer) === undefined) throw new Error('a public key of an unsupported kind');
  const subjectDer = encodeName(subject);
  const subjectIsEmpty = subjectDer.length === EMPTY_NAME_LENGTH;
  const sanExtensions = nameExtensions(names, subjectIsEmpty);
  if (subjectIsEmpty && sanExtensions.length === 0) throw new Error('a certificate without any name');
  return {
    ...validityOf(request),
    // A byte copy, since verifiers may compare issuer and subject byte by byte (RFC 5280 section 4.1.2.4).
    issuerDer: ca.certificate.subjectDer,
    subjectDer,
    publicKeyDer: request.publicKeyDer,
    extensions: [
      LEAF_BASIC_CONSTRAINTS,
      ...usageExtensions(usages),
      subjectKeyIdExtension(keyIdOf(request.publicKeyDer)),
      authorityKeyIdExtension(keyIdOfCa(ca.certificate)),
      ...policyExtensions(request.policies ?? []),
      ...sanExtensions,
    ],
  };
}

const EMPTY_NAME_LENGTH = 2;

/** Makes the self-signed certificate (DER) of a CA that may sign certificates and CRLs. Throws an Error like `signLeaf`. */
export function makeRoot(request: RootRequest): Buffer {
  const subjectDer = encodeName(request.subject);
  if (subjectDer.length === EMPTY_NAME_LENGTH) throw new Error('a CA without a subject');
  const spki = publicKeyDer(request.key);
  const content = {
    ...validityOf(request),
    issuerDer: subjectDer,
    subjectDer,
    publicKeyDer: spki,
    extensions: [
      caBasicConstraints(),
      ...usageExtensions(['cert sign', 'crl sign']),
      subjectKeyIdExtension(keyIdOf(spki)),
    ],
  };
  return writeCertificate(content, request.key);
}

/** The key id that a CA's children name: the one in its certificate, however that was made. */
export function keyIdOfCa(ca: CertificateView): Buffer {
  return ca.subjectKeyId ? Buffer.from(ca.subjectKeyId, 'hex') : keyIdOf(ca.publicKeyDer);
}

export interface CertificateContent extends Validity {
  readonly issuerDer: Buffer;
  readonly subjectDer: Buffer;
  readonly publicKeyDer: Buffer;
  /** Each a whole Extension. */
  readonly extensions: readonly Buffer[];
}

const VERSION_3 = explicit(0, integer(2));

function writeCertificate(content: CertificateContent, key: KeyObject): Buffer {
  const tbs = tbsCertificate(content, keySpecOf(key));
  return signedCertificate(tbs, keySpecOf(key), signBytes(tbs, key));
}

/** The TBSCertificate (DER) that a key of that kind signs: the one place where it is put together. */
export function tbsCertificate(content: CertificateContent, signingKey: KeySpec): Buffer {
  return sequence(
    VERSION_3,
    integer(content.serialNumber),
    algorithmIdentifierFor(signingKey),
    content.issuerDer,
    sequence(time(content.notBefore), time(content.notAfter)),
    content.subjectDer,
    content.publicKeyDer,
    explicit(3, sequence(...content.extensions)),
  );
}

/** The certificate (DER) that a TBSCertificate and its signature make. */
export function signedCertificate(tbs: Buffer, signingKey: KeySpec, signature: Buffer): Buffer {
  return sequence(tbs, algorithmIdentifierFor(signingKey), bitString(signature));
}

function validityOf({ notBefore, notAfter, serialNumber }: Validity): Validity {
  if (!(notBefore < notAfter)) throw new Error('a certificate that ends before it begins');
  // RFC 5280 section 4.1.2.2: positive, at most 20 octets, of which the sign may need one.
  const first = serialNumber[0] ?? 0;
  const octets = serialNumber.length + (first >= 0x80 ? 1 : 0);
  if (octets > 20 || serialNumber.every((byte) => byte === 0))
    throw new Error('a serial number of zero or of more than 20 octets');
  return { notBefore, notAfter, serialNumber };
}

/**
 * Turns 16 random bytes into a serial number of 16 octets: the top bit is cleared, or DER would add an octet; the next
 * one is set, so that none has leading zeros. 126 random bits stay.
 */
export function newSerialNumber(randomBytes16: Uint8Array): Buffer {
  if (randomBytes16.length !== 16)
    throw new Error(`${randomBytes16.length} random bytes for a serial number; 16 are needed`);
  const serial = Buffer.from(randomBytes16);
  serial[0] = ((serial[0] ?? 0) & 0x7f) | 0x40;
  return serial;
}

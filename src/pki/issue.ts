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
import { type KeySpec, keySpecOfPublicKey } from './keys.ts';
import { encodeName, type Subject } from './name.ts';
import type { Names } from './san.ts';
import { algorithmIdentifierFor } from './signature.ts';
import type { Signer } from './signer.ts';

interface Validity {
  /** Inclusive, both of them; milliseconds are cut off. */
  readonly notBefore: Date;
  readonly notAfter: Date;
  /** Unsigned big-endian, 1 to 20 bytes, not zero: see `newSerialNumber`. */
  readonly serialNumber: Uint8Array;
}

export interface LeafRequest extends Validity {
  readonly ca: { readonly certificate: CertificateView; readonly signer: Signer };
  /** SubjectPublicKeyInfo of the leaf. */
  readonly publicKeyDer: Buffer;
  readonly subject: Subject;
  readonly names: Names;
  /** cert-manager's names, see `Usage`. */
  readonly usages: readonly string[];
  /** Certificate policies (dotted decimals) that the CA's own constraints ask for. */
  readonly policies?: readonly string[];
  /** Further ones, each a whole Extension. */
  readonly extensions?: readonly Buffer[];
}

export interface RootRequest extends Validity {
  readonly subject: Subject;
  /** Of the key that becomes the CA's. */
  readonly signer: Signer;
}

/**
 * Signs a client's certificate (RFC 5280) and returns its DER. Throws an Error if it has no identity, if subject, names
 * or usages can't be written, or if it would outlive the CA. That `ca.signer` belongs to `ca.certificate` is
 * for `readCaPair` to prove.
 */
export async function signLeaf(request: LeafRequest): Promise<Buffer> {
  return signCertificate(leafContent(request), request.ca.signer);
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
      ...(request.extensions ?? []),
    ],
  };
}

const EMPTY_NAME_LENGTH = 2;

/** Makes the self-signed certificate (DER) of a CA that may sign certificates and CRLs. Throws an Error like `signLeaf`. */
export async function makeRoot(request: RootRequest): Promise<Buffer> {
  const subjectDer = encodeName(request.subject);
  if (subjectDer.length === EMPTY_NAME_LENGTH) throw new Error('a CA without a subject');
  const { publicKey } = request.signer;
  const content = {
    ...validityOf(request),
    issuerDer: subjectDer,
    subjectDer,
    publicKeyDer: publicKey,
    extensions: [
      caBasicConstraints(),
      ...usageExtensions(['cert sign', 'crl sign']),
      subjectKeyIdExtension(keyIdOf(publicKey)),
    ],
  };
  return signCertificate(content, request.signer);
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

async function signCertificate(content: CertificateContent, signer: Signer): Promise<Buffer> {
  const { keySpec } = signer;
  const tbs = tbsCertificate(content, keySpec);
  return signedCertificate(tbs, keySpec, await signer.sign(tbs));
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

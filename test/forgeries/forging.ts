/** Wrong certificates, each made of a right one and signed by a key of the CA's own: only what is wrong is wrong. */
import { generateKeyPairSync, hash, type KeyObject, sign } from 'node:crypto';
import { bitString, explicit, integer, NULL, octetString, oid, sequence, time } from '../../src/pki/asn1/write.ts';
import { type CertificateView, parseCertificate } from '../../src/pki/certificate.ts';
import {
  authorityKeyIdExtension,
  caBasicConstraints,
  keyIdOf,
  LEAF_BASIC_CONSTRAINTS,
  nameExtensions,
  subjectKeyIdExtension,
  usageExtensions,
} from '../../src/pki/extensions.ts';
import { newSerialNumber } from '../../src/pki/issue.ts';
import { publicKeyDer } from '../../src/pki/keys.ts';
import { encodeName, type Subject } from '../../src/pki/name.ts';
import { toPem } from '../../src/pki/pem.ts';
import type { Names } from '../../src/pki/san.ts';
import { writeCertificate } from '../pki/write-certificate.ts';

const HOUR = 3_600_000;

/** The right answer, and what it takes to make another. */
export interface Honest {
  readonly leaf: CertificateView;
  readonly intermediate: CertificateView;
  readonly root: CertificateView;
  /** The key of the intermediate. */
  readonly key: KeyObject;
  /** Serial number of the certificate that is there already, hex. */
  readonly heldSerial: string;
}

/** Whatever signs: a certificate, and what makes its signatures. */
export interface Issuer {
  readonly certificate: CertificateView;
  readonly signature: Signer;
}

export interface Signer {
  /** The AlgorithmIdentifier (DER). */
  readonly algorithm: Buffer;
  sign(body: Buffer): Buffer;
}

export interface Wish {
  readonly serialNumber?: Buffer;
  readonly subject?: Subject;
  /** In place of `subject`: what no Subject can hold. */
  readonly subjectDer?: Buffer;
  readonly names?: Partial<Names>;
  readonly usages?: readonly string[];
  readonly publicKeyDer?: Buffer;
  readonly notBefore?: Date;
  readonly notAfter?: Date;
  readonly basicConstraints?: Buffer;
  /** Further extensions. */
  readonly more?: readonly Buffer[];
  /** The AlgorithmIdentifier that is signed, where it isn't the one of the signature. */
  readonly claimedAlgorithm?: Buffer;
  readonly issuer?: Issuer;
}

const SHA256_WITH_RSA = sequence(oid('1.2.840.113549.1.1.11'), NULL);

export function ecdsaSigner(key: KeyObject, digest: 'sha1' | 'sha256' = 'sha256'): Signer {
  const algorithm = sequence(oid(digest === 'sha1' ? '1.2.840.10045.4.1' : '1.2.840.10045.4.3.2'));
  return { algorithm, sign: (body) => sign(digest, body, key) };
}

function rsaSigner(key: KeyObject): Signer {
  return { algorithm: SHA256_WITH_RSA, sign: (body) => sign('sha256', body, key) };
}

/** The right certificate as DER but for what is wished, signed by the intermediate unless told. */
export function alteredDer({ leaf, intermediate, key }: Honest, wish: Wish): Buffer {
  const { certificate, signature } = wish.issuer ?? { certificate: intermediate, signature: ecdsaSigner(key) };
  const { algorithm } = signature;
  const subject = wish.subject === undefined ? leaf.subjectDer : encodeName(wish.subject);
  const body = sequence(
    explicit(0, integer(2)),
    integer(wish.serialNumber ?? Buffer.from(leaf.serialNumber, 'hex')),
    wish.claimedAlgorithm ?? algorithm,
    certificate.subjectDer,
    sequence(time(wish.notBefore ?? leaf.notBefore), time(wish.notAfter ?? leaf.notAfter)),
    wish.subjectDer ?? subject,
    wish.publicKeyDer ?? leaf.publicKeyDer,
    explicit(
      3,
      sequence(
        wish.basicConstraints ?? LEAF_BASIC_CONSTRAINTS,
        ...usageExtensions(wish.usages ?? leaf.usages),
        ...nameExtensions({ ...leaf.names, ...wish.names }, false),
        authorityKeyIdExtension(Buffer.from(certificate.subjectKeyId ?? '', 'hex')),
        ...(wish.more ?? []),
      ),
    ),
  );
  return sequence(body, algorithm, bitString(signature.sign(body)));
}

export function altered(honest: Honest, wish: Wish): string {
  return pemOf(alteredDer(honest, wish));
}

export function pemOf(der: Buffer): string {
  return toPem('CERTIFICATE', der);
}

export function extension(dotted: string, value: Buffer, critical = false): Buffer {
  const flag = Buffer.from(critical ? '0101ff' : '', 'hex');
  return sequence(oid(dotted), flag, octetString(value));
}

export function newKey(): KeyObject {
  return generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey;
}

export function inHours(hours: number): Date {
  return new Date(Date.now() + hours * HOUR);
}

/** A CA of the same names as the intermediate, which nobody trusts. */
export function impostor({ intermediate }: Honest): Issuer {
  const key = newKey();
  const validity = { notBefore: inHours(-1), notAfter: inHours(1000) };
  const serialNumber = newSerialNumber(Buffer.alloc(16, 7));
  const [name, spki] = [encodeName(intermediate.subject), publicKeyDer(key)];
  const der = writeCertificate({
    ...validity,
    serialNumber,
    issuerDer: name,
    subjectDer: name,
    publicKeyDer: spki,
    extensions: [caBasicConstraints(), ...usageExtensions(OF_A_CA.usages), subjectKeyIdExtension(keyIdOf(spki))],
    signingKey: key,
  });
  return { certificate: parseCertificate(der), signature: ecdsaSigner(key) };
}

const OF_A_CA = {
  names: { dnsNames: [], uris: [], emailAddresses: [], ipAddresses: [] },
  usages: ['cert sign', 'crl sign'],
  basicConstraints: caBasicConstraints(),
} as const satisfies Wish;

/** The intermediate once more, with the same name and key, but signed by itself: it leads nowhere. */
export function namesake(honest: Honest): string {
  const { subjectDer, publicKeyDer, subjectKeyId = '', notAfter } = honest.intermediate;
  const more = [subjectKeyIdExtension(Buffer.from(subjectKeyId, 'hex'))];
  return altered(honest, { ...OF_A_CA, subjectDer, publicKeyDer, notAfter, more });
}

/** A CA below the intermediate, which has signed it with its own key. */
function below(honest: Honest, publicKey: Buffer, signature: Signer, wish: Wish = {}): Issuer {
  const der = alteredDer(honest, {
    ...OF_A_CA,
    subject: { commonName: 'below' },
    notAfter: inHours(1000),
    publicKeyDer: publicKey,
    more: [subjectKeyIdExtension(keyIdOf(publicKey))],
    ...wish,
  });
  return { certificate: parseCertificate(der), signature };
}

export function belowWith(honest: Honest, wish: Wish): Issuer {
  const key = newKey();
  return below(honest, publicKeyDer(key), ecdsaSigner(key), wish);
}

/** Whoever has a computer for a while can find its key. */
export function belowOf1024Bits(honest: Honest): Issuer {
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 1024 });
  return below(honest, publicKeyDer(privateKey), rsaSigner(privateKey));
}

const MODULUS_BYTES = 256;
/** DigestInfo of SHA-256 (RFC 8017 section 9.2). */
const DIGEST_INFO = Buffer.from('3031300d060960864801650304020105000420', 'hex');

/** For its key a signature is the padded hash itself: everybody can make one. */
export function belowOfExponentOne(honest: Honest): Issuer {
  const sealed = (body: Buffer) => {
    const digest = hash('sha256', body, 'buffer');
    const fill = Buffer.alloc(MODULUS_BYTES - 3 - DIGEST_INFO.length - digest.length, 0xff);
    return Buffer.concat([Buffer.of(0, 1), fill, Buffer.of(0), DIGEST_INFO, digest]);
  };
  return below(honest, rsaKeyOf(Buffer.of(1)), { algorithm: SHA256_WITH_RSA, sign: sealed });
}

/** Each verification with its key takes as long as a signature. */
export function belowOfLongExponent(honest: Honest): Issuer {
  const sign = () => Buffer.alloc(MODULUS_BYTES, 1);
  return below(honest, rsaKeyOf(Buffer.alloc(MODULUS_BYTES - 1, 0x7f)), { algorithm: SHA256_WITH_RSA, sign });
}

/** A public key as SubjectPublicKeyInfo (DER) with that exponent, and a modulus to which nobody has the private key. */
export function rsaKeyOf(exponent: Buffer, modulusBytes = MODULUS_BYTES): Buffer {
  const modulus = Buffer.alloc(modulusBytes, 0xa5);
  const key = sequence(integer(modulus), integer(exponent));
  return sequence(sequence(oid('1.2.840.113549.1.1.1'), NULL), bitString(key));
}

/** SEQUENCEs in each other, as many as fit into so many bytes. */
export function nested(bytes: number): Buffer {
  let inner: Buffer = Buffer.alloc(0);
  while (inner.length < bytes) inner = sequence(inner);
  return inner;
}

/** An object identifier of one arc that is 20 kB long. */
export function hugeOid(): Buffer {
  const content = Buffer.concat([Buffer.of(0x2a), Buffer.alloc(20_000, 0x81), Buffer.of(1)]);
  const length = Buffer.alloc(2);
  length.writeUInt16BE(content.length);
  return Buffer.concat([Buffer.of(0x06, 0x82), length, content]);
}

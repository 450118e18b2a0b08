import { constants, type KeyObject, sign, verify } from 'node:crypto';
import { promisify } from 'node:util';
import { keyThreads } from '../threads.ts';
import { explicit, integer, NULL, oid, sequence } from './asn1/write.ts';
import { type KeySpec, keySpecOf } from './keys.ts';

interface SignatureAlgorithm {
  readonly name: string;
  readonly keyType: 'ec' | 'rsa' | 'ed25519';
  /** Undefined where the scheme hashes by itself (Ed25519). */
  readonly hash: string | undefined;
  /** The AlgorithmIdentifiers (DER) that mean it; the first is the one that we write. */
  readonly identifiers: readonly [Buffer, ...Buffer[]];
  /** RSASSA-PSS: the length of the salt in bytes. */
  readonly saltLength?: number;
  /** Its hash is broken: known only to be refused by name. */
  readonly weak?: true;
}

// RFC 5758 section 3.2: the parameters are absent.
function ecdsa(name: string, dotted: string, hash: string): SignatureAlgorithm {
  return { name, keyType: 'ec', hash, identifiers: [sequence(oid(dotted))] };
}

// RFC 4055 section 5: NULL is written, and absent parameters are read too.
function rsa(name: string, dotted: string, hash: string): SignatureAlgorithm {
  return { name, keyType: 'rsa', hash, identifiers: [sequence(oid(dotted), NULL), sequence(oid(dotted))] };
}

// RFC 4055 section 3.1, with the one choice that is in use: MGF1 over the same hash, a salt as long as the hash.
function pss(hash: string, hashOid: string, saltLength: number): SignatureAlgorithm {
  const identifier = (hashId: Buffer) => {
    const mask = sequence(oid('1.2.840.113549.1.1.8'), hashId);
    return sequence(
      oid('1.2.840.113549.1.1.10'),
      sequence(explicit(0, hashId), explicit(1, mask), explicit(2, integer(saltLength))),
    );
  };
  const identifiers = [identifier(sequence(oid(hashOid), NULL)), identifier(sequence(oid(hashOid)))] as const;
  return { name: `RSASSA-PSS with ${hash}`, keyType: 'rsa', hash, identifiers, saltLength };
}

const ED25519: SignatureAlgorithm = {
  name: 'Ed25519',
  keyType: 'ed25519',
  hash: undefined,
  identifiers: [sequence(oid('1.3.101.112'))],
};
const ECDSA = {
  256: ecdsa('ecdsa-with-SHA256', '1.2.840.10045.4.3.2', 'sha256'),
  384: ecdsa('ecdsa-with-SHA384', '1.2.840.10045.4.3.3', 'sha384'),
  521: ecdsa('ecdsa-with-SHA512', '1.2.840.10045.4.3.4', 'sha512'),
} as const;
const RSA_SHA256 = rsa('sha256WithRSAEncryption', '1.2.840.113549.1.1.11', 'sha256');

const ALGORITHMS: readonly SignatureAlgorithm[] = [
  ED25519,
  ...Object.values(ECDSA),
  RSA_SHA256,
  rsa('sha384WithRSAEncryption', '1.2.840.113549.1.1.12', 'sha384'),
  rsa('sha512WithRSAEncryption', '1.2.840.113549.1.1.13', 'sha512'),
  pss('sha256', '2.16.840.1.101.3.4.2.1', 32),
  pss('sha384', '2.16.840.1.101.3.4.2.2', 48),
  pss('sha512', '2.16.840.1.101.3.4.2.3', 64),
  { ...ecdsa('ecdsa-with-SHA1', '1.2.840.10045.4.1', 'sha1'), weak: true },
  { ...rsa('sha1WithRSAEncryption', '1.2.840.113549.1.1.5', 'sha1'), weak: true },
  { ...rsa('md5WithRSAEncryption', '1.2.840.113549.1.1.4', 'md5'), weak: true },
];

const byIdentifier = new Map(
  ALGORITHMS.flatMap((algorithm) => algorithm.identifiers.map((der) => [der.toString('hex'), algorithm])),
);
const byName = new Map(ALGORITHMS.map((algorithm) => [algorithm.name, algorithm]));

/** The name of what an AlgorithmIdentifier means, its parameters included; undefined if Certwheel doesn't verify it. */
export function signatureName(algorithmIdentifier: Buffer): string | undefined {
  return byIdentifier.get(algorithmIdentifier.toString('hex'))?.name;
}

/** Whether the named algorithm rests on a broken hash. */
export function isWeakSignature(name: string): boolean {
  return byName.get(name)?.weak === true;
}

/** Whether the key made the signature; false for an algorithm without a name here. */
export function verifyBytes(name: string, bytes: Buffer, key: KeyObject, signature: Buffer): boolean {
  const algorithm = byName.get(name);
  // Without the comparison a key of another kind would choose the scheme by itself.
  if (algorithm === undefined || key.asymmetricKeyType !== algorithm.keyType) return false;
  const { saltLength } = algorithm;
  const signer = saltLength === undefined ? key : { key, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength };
  return verify(algorithm.hash, bytes, signer, signature);
}

/** The AlgorithmIdentifier (DER) that a key of that kind signs with. */
export function algorithmIdentifierFor(signingKey: KeySpec): Buffer {
  return algorithmFor(signingKey).identifiers[0];
}

/** Signs as `algorithmIdentifierFor` announces; ECDSA signatures come as DER (RFC 3279 section 2.2.3). */
export function signBytes(bytes: Uint8Array, key: KeyObject): Buffer {
  return sign(algorithmFor(keySpecOf(key)).hash, bytes, key);
}

/** Up to here a signature takes 6 ms; the time grows with the cube, and RSA of 8192 bits takes 32 ms. */
const MAX_CHEAP_RSA_BITS = 4096;

/** Whether a signature by such a key takes too long for the event loop. */
export function signsSlowly(spec: KeySpec | undefined): boolean {
  return spec?.algorithm === 'RSA' && spec.size > MAX_CHEAP_RSA_BITS;
}

const signInPool: (hash: string | undefined, bytes: Uint8Array, key: KeyObject) => Promise<Buffer> = promisify(sign);

/** The same as `signBytes`, in the thread pool and few at a time. */
export function signBytesInPool(bytes: Uint8Array, key: KeyObject): Promise<Buffer> {
  return keyThreads.run(() => signInPool(algorithmFor(keySpecOf(key)).hash, bytes, key));
}

// The hash is as strong as the curve; RSA stays with SHA-256, which every verifier knows.
function algorithmFor(spec: KeySpec): SignatureAlgorithm {
  switch (spec.algorithm) {
    case 'Ed25519':
      return ED25519;
    case 'RSA':
      return RSA_SHA256;
    case 'ECDSA':
      return ECDSA[spec.size];
  }
}

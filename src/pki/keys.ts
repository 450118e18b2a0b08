import {
  createPrivateKey,
  createPublicKey,
  generateKeyPair,
  generateKeyPairSync,
  hash,
  type KeyObject,
  type KeyPairKeyObjectResult,
} from 'node:crypto';
import { promisify } from 'node:util';
import { keyThreads } from '../threads.ts';
import { children, expectTag, readBytesOfBits, readElement } from './asn1/read.ts';
import { TAG } from './asn1/write.ts';
import { EncryptedPemError, type PemBlock, parsePem } from './pem.ts';

/** RSA sizes are bits, even ones from 2048 to 4096; ECDSA sizes name the NIST curves. */
export type KeySpec =
  | { readonly algorithm: 'ECDSA'; readonly size: 256 | 384 | 521 }
  | { readonly algorithm: 'Ed25519' }
  | { readonly algorithm: 'RSA'; readonly size: number };

export type KeyEncoding = 'PKCS8' | 'PKCS1';

/** A native handle: it can't be printed by accident, and `encodePrivateKey` is the only way to its bytes. */
export type PrivateKey = KeyObject;

export const MIN_RSA_BITS = 2048;
export const MAX_RSA_BITS = 4096;
/** A CA's key may be larger than what we make, within reason: the time to sign grows with the cube. */
export const MAX_READ_RSA_BITS = 8192;
export const MIN_RSA_EXPONENT = 65537n;
/** FIPS 186-5 allows 256 bits, but no one uses more than 17, and the time to verify grows with each of them. */
const MAX_RSA_EXPONENT_BYTES = 8;
const MAX_KEY_BYTES = 13_000;

const generate = promisify(generateKeyPair);

/**
 * A new private key. EC and Ed25519 are made at once on the calling thread (0.05 ms for P-256, cheaper than the way to
 * another thread); RSA takes up to seconds and is made in the thread pool, few at a time.
 */
export async function generateKey(spec: KeySpec): Promise<PrivateKey> {
  switch (spec.algorithm) {
    case 'ECDSA':
      return remember(generateKeyPairSync('ec', { namedCurve: `P-${spec.size}` }));
    case 'Ed25519':
      return remember(generateKeyPairSync('ed25519'));
    case 'RSA':
      // OpenSSL rounds an odd size down. The key would then differ from its spec, and be made anew for ever.
      if (spec.size % 2 !== 0 || spec.size < MIN_RSA_BITS || spec.size > MAX_RSA_BITS) {
        throw new Error(
          `an RSA key of ${spec.size} bits; even sizes from ${MIN_RSA_BITS} to ${MAX_RSA_BITS} are possible`,
        );
      }
      return keyThreads.run(async () => remember(await generate('rsa', { modulusLength: spec.size })));
  }
}

/** PEM. PKCS1 means the algorithm's own format: PKCS#1 for RSA, SEC1 for ECDSA; Ed25519 has none, so it throws. */
export function encodePrivateKey(key: PrivateKey, encoding: KeyEncoding): string {
  if (encoding === 'PKCS8') return key.export({ type: 'pkcs8', format: 'pem' }).toString();
  const { algorithm } = keySpecOf(key);
  if (algorithm === 'Ed25519') throw new Error('an Ed25519 key has no PKCS1 encoding; use PKCS8');
  return key.export({ type: algorithm === 'RSA' ? 'pkcs1' : 'sec1', format: 'pem' }).toString();
}

/**
 * Reads one private key: PKCS#8, PKCS#1 or SEC1. Throws an EncryptedPemError, or an Error if the key is unreadable, of an
 * unsupported kind, or too weak. The message never holds any of the key.
 */
export function parsePrivateKey(pem: string): PrivateKey {
  const blocks = parsePem(pem, { strict: true, maxBytes: MAX_KEY_BYTES });
  // OpenSSL's `ecparam -genkey` writes the curve first; the key repeats it.
  const [block, ...more] = blocks.filter(({ label }) => label !== 'EC PARAMETERS');
  if (block === undefined || more.length > 0)
    throw new Error(`${block ? more.length + 1 : 'no'} private keys where one belongs`);
  return readPrivateKey(block);
}

/** The same of one block, decoded. */
export function readPrivateKey(block: PemBlock): PrivateKey {
  const key = readKey(block);
  const spec = keySpecOf(key);
  if (spec.algorithm === 'RSA') refuseWeakRsa(key, spec.size);
  return key;
}

/** The message about a key of a supported kind that OpenSSL can't read. */
export const UNREADABLE_KEY = 'the private key is unreadable';

const KEY_TYPES: Readonly<Record<string, 'pkcs8' | 'pkcs1' | 'sec1'>> = {
  'PRIVATE KEY': 'pkcs8',
  'RSA PRIVATE KEY': 'pkcs1',
  'EC PRIVATE KEY': 'sec1',
};

function readKey({ label, der }: PemBlock): PrivateKey {
  if (label === 'ENCRYPTED PRIVATE KEY') throw new EncryptedPemError('the private key is encrypted');
  const type = Object.hasOwn(KEY_TYPES, label) ? KEY_TYPES[label] : undefined;
  if (type === undefined) throw new Error(`${label} where a private key belongs`);
  if (type === 'pkcs8') refuseCostlyAlgorithm(der);
  try {
    return createPrivateKey({ key: der, format: 'der', type });
  } catch {
    // No cause: OpenSSL's text says nothing useful here, and nothing of a key may get into a log.
    throw new Error(UNREADABLE_KEY);
  }
}

/** Those whose public half is in the file, or costs OpenSSL no more than a signature. */
const READ_ALGORITHMS: ReadonlySet<string> = new Set([
  '2a864886f70d010101', // RSA
  '2a864886f70d01010a', // RSA-PSS
  '2a8648ce3d0201', // EC
  '2b656e', // X25519
  '2b656f', // X448
  '2b6570', // Ed25519
  '2b6571', // Ed448
]);

// OpenSSL computes the public half of a DSA or Diffie-Hellman key: seconds, with numbers that were chosen for it.
function refuseCostlyAlgorithm(pkcs8: Buffer): void {
  let oid: string | undefined;
  try {
    const [, algorithm] = children(readElement(pkcs8, TAG.sequence, 'private key'));
    const [first] = children(expectTag(algorithm, TAG.sequence, 'key algorithm'));
    oid = first?.content.toString('hex');
  } catch {
    throw new Error(UNREADABLE_KEY);
  }
  if (oid === undefined || !READ_ALGORITHMS.has(oid))
    throw new Error('a key of an unsupported type; RSA, ECDSA and Ed25519 are supported');
}

function refuseWeakRsa(key: KeyObject, bits: number): void {
  if (bits < MIN_RSA_BITS) throw new Error(`an RSA key of ${bits} bits; at least ${MIN_RSA_BITS} are needed`);
  if (bits > MAX_READ_RSA_BITS) throw new Error(`an RSA key of ${bits} bits; at most ${MAX_READ_RSA_BITS} are read`);
  const exponent = key.asymmetricKeyDetails?.publicExponent ?? 0n;
  if (exponent < MIN_RSA_EXPONENT)
    throw new Error(`an RSA key with the public exponent ${exponent}; at least ${MIN_RSA_EXPONENT} is needed`);
}

const CURVE_SIZES: Readonly<Record<string, 256 | 384 | 521>> = { prime256v1: 256, secp384r1: 384, secp521r1: 521 };

/** Throws an Error for any kind of key that KeySpec doesn't know. */
export function keySpecOf(key: KeyObject): KeySpec {
  const details = key.asymmetricKeyDetails;
  switch (key.asymmetricKeyType) {
    case 'ed25519':
      return { algorithm: 'Ed25519' };
    case 'rsa':
      return { algorithm: 'RSA', size: details?.modulusLength ?? 0 };
    case 'ec': {
      const curve = details?.namedCurve ?? 'unnamed';
      const size = Object.hasOwn(CURVE_SIZES, curve) ? CURVE_SIZES[curve] : undefined;
      if (size === undefined)
        throw new Error(`an EC key on the unsupported curve ${curve}; P-256, P-384 and P-521 are supported`);
      return { algorithm: 'ECDSA', size };
    }
    default:
      throw new Error(`a key of the unsupported type ${key.asymmetricKeyType}; RSA, ECDSA and Ed25519 are supported`);
  }
}

/** The AlgorithmIdentifiers of RFC 5480 and RFC 8410 as they begin a SubjectPublicKeyInfo. */
const SPKI_ALGORITHMS: Readonly<Record<string, KeySpec>> = {
  '301306072a8648ce3d020106082a8648ce3d030107': { algorithm: 'ECDSA', size: 256 },
  '301006072a8648ce3d020106052b81040022': { algorithm: 'ECDSA', size: 384 },
  '301006072a8648ce3d020106052b81040023': { algorithm: 'ECDSA', size: 521 },
  '300506032b6570': { algorithm: 'Ed25519' },
};
const RSA_ALGORITHM = '300d06092a864886f70d0101010500';

/**
 * Of a SubjectPublicKeyInfo (DER); undefined for a kind of key that KeySpec doesn't know, and for an RSA key whose exponent
 * would let it choose how long each verification takes. Throws if it is malformed.
 */
export function keySpecOfPublicKey(spki: Buffer): KeySpec | undefined {
  const [algorithm, bits] = children(readElement(spki, TAG.sequence, 'public key'));
  const key = readBytesOfBits(bits, 'public key bits');
  const name = expectTag(algorithm, TAG.sequence, 'public key algorithm').bytes.toString('hex');
  if (name === RSA_ALGORITHM) return rsaSpec(key);
  return Object.hasOwn(SPKI_ALGORITHMS, name) ? SPKI_ALGORITHMS[name] : undefined;
}

function rsaSpec(rsaPublicKey: Buffer): KeySpec | undefined {
  const { modulus, exponent } = rsaNumbers(rsaPublicKey);
  if (exponent.length > MAX_RSA_EXPONENT_BYTES) return undefined;
  const first = modulus[0] === 0 ? 1 : 0;
  return { algorithm: 'RSA', size: (modulus.length - first) * 8 - (Math.clz32(modulus[first] ?? 0) - 24) };
}

/** The public exponent of an RSA key that KeySpec knows, given as SubjectPublicKeyInfo (DER). */
export function rsaExponent(spki: Buffer): bigint {
  const [, bits] = children(readElement(spki, TAG.sequence, 'public key'));
  const { exponent } = rsaNumbers(readBytesOfBits(bits, 'public key bits'));
  return BigInt(`0x0${exponent.toString('hex')}`);
}

function rsaNumbers(rsaPublicKey: Buffer): { modulus: Buffer; exponent: Buffer } {
  const [modulus, exponent] = children(readElement(rsaPublicKey, TAG.sequence, 'RSA public key'));
  return {
    modulus: expectTag(modulus, TAG.integer, 'RSA modulus').content,
    exponent: expectTag(exponent, TAG.integer, 'RSA exponent').content,
  };
}

// To derive the public half from the private one costs more than to generate both.
const spkis = new WeakMap<KeyObject, Buffer>();

function remember({ privateKey, publicKey }: KeyPairKeyObjectResult): PrivateKey {
  spkis.set(privateKey, publicKey.export({ type: 'spki', format: 'der' }));
  return privateKey;
}

/** How a private key in PEM is written; PKCS1 stands for SEC 1 too, see `encodePrivateKey`. */
export function keyEncodingOf(pem: string): KeyEncoding {
  return /-----BEGIN (RSA|EC) PRIVATE KEY-----/.test(pem) ? 'PKCS1' : 'PKCS8';
}

/** SubjectPublicKeyInfo as DER, of a private or public key. */
export function publicKeyDer(key: KeyObject): Buffer {
  let spki = spkis.get(key);
  if (spki === undefined) {
    spki = (key.type === 'private' ? createPublicKey(key) : key).export({ type: 'spki', format: 'der' });
    spkis.set(key, spki);
  }
  return spki;
}

/** RFC 7469: base64 of the SHA-256 of the SubjectPublicKeyInfo. */
export function publicKeyPin(spki: Uint8Array): string {
  return hash('sha256', spki, 'base64');
}

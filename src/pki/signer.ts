import { createPublicKey } from 'node:crypto';
import { type KeySpec, keySpecOf, type PrivateKey, publicKeyDer } from './keys.ts';
import { signBytes, signBytesInPool, signsSlowly } from './signature.ts';

/** Signs with one private key, wherever that key is kept. */
export interface Signer {
  /** DER of the SubjectPublicKeyInfo. */
  readonly publicKey: Buffer;
  /** The kind of the public key; the signature algorithm follows from it, see `algorithmIdentifierFor`. */
  readonly keySpec: KeySpec;
  /** Whether a signature takes so long that no worker should wait for it. */
  readonly isSlow: boolean;
  /** ECDSA signatures are DER (RFC 3279 section 2.2.3). An error never holds any of the key. */
  sign(tbs: Uint8Array): Promise<Buffer>;
}

/** Does work that takes long without a worker, when it is its turn. */
export type Aside = <T>(work: () => Promise<T>) => Promise<T>;

/**
 * The signer of a key in this process. It signs at once on the event loop, or in the thread pool where a signature takes
 * long. Throws an Error if the key is of an unsupported kind.
 */
export function signerOf(key: PrivateKey): Signer {
  const publicKey = publicKeyDer(key);
  const keySpec = keySpecOf(createPublicKey({ key: publicKey, format: 'der', type: 'spki' }));
  const isSlow = signsSlowly(keySpec);
  const sign = isSlow ? (tbs: Uint8Array) => signBytesInPool(tbs, key) : async (tbs: Uint8Array) => signBytes(tbs, key);
  return { publicKey, keySpec, isSlow, sign };
}

/** The same signer, whose signatures are made aside if they take long. */
export function signingAside(signer: Signer, aside: Aside): Signer {
  return signer.isSlow ? { ...signer, sign: (tbs) => aside(() => signer.sign(tbs)) } : signer;
}

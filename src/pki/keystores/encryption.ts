import { createCipheriv, pbkdf2 } from 'node:crypto';
import { promisify } from 'node:util';
import { integer, NULL, octetString, oid, sequence } from '../asn1/write.ts';
import type { RandomBytes } from './entries.ts';
import { deriveBytes, KDF_PURPOSE } from './pkcs12-kdf.ts';
import { rc2CbcEncrypt } from './rc2.ts';

/** Names of cert-manager's. */
export type Pkcs12Profile = 'Modern2023' | 'LegacyDES' | 'LegacyRC2';

/**
 * Rounds of each key derivation, as OpenSSL 3 and cert-manager's library (Modern2023) write them. Java writes 10,000. More
 * rounds would protect little here: the password is in a Secret of the same namespace, and the store's own Secret holds the key
 * in plain as well. Every renewal and every reader would pay for them.
 */
export const ITERATIONS = 2048;

export interface Encrypted {
  /** AlgorithmIdentifier, DER. */
  readonly algorithm: Buffer;
  readonly ciphertext: Buffer;
}

/** Encrypts under a password, with a salt of its own. */
export type PasswordEncryption = (
  plaintext: Uint8Array,
  password: string,
  randomBytes: RandomBytes,
) => Promise<Encrypted>;

const AES_256_CBC = { name: 'aes-256-cbc', oid: '2.16.840.1.101.3.4.1.42', keyBytes: 32, ivBytes: 16 };
const stretch = promisify(pbkdf2);

/** PBES2 with PBKDF2, HMAC-SHA-256 and AES-256-CBC (RFC 8018 section 6.2). The rounds run in the thread pool. */
const pbes2: PasswordEncryption = async (plaintext, password, randomBytes) => {
  const salt = randomBytes(16);
  const iv = randomBytes(AES_256_CBC.ivBytes);
  // Java and OpenSSL take the bytes of the text here; in PKCS#12's own derivation it is UTF-16.
  const key = await stretch(password, salt, ITERATIONS, AES_256_CBC.keyBytes, 'sha256');
  const hmacSha256 = sequence(oid('1.2.840.113549.2.9'), NULL);
  const derivation = sequence(
    oid('1.2.840.113549.1.5.12'),
    sequence(octetString(salt), integer(ITERATIONS), hmacSha256),
  );
  const scheme = sequence(oid(AES_256_CBC.oid), octetString(iv));
  return {
    algorithm: sequence(oid('1.2.840.113549.1.5.13'), sequence(derivation, scheme)),
    ciphertext: cbc(AES_256_CBC.name, key, iv, plaintext),
  };
};

interface LegacyCipher {
  readonly oid: string;
  readonly keyBytes: number;
  readonly encrypt: (key: Buffer, iv: Buffer, plaintext: Uint8Array) => Buffer;
}

/** RFC 7292 appendix C: key and initialization vector both come from the password, by SHA-1. */
function legacy({ oid: name, keyBytes, encrypt }: LegacyCipher): PasswordEncryption {
  return async (plaintext, password, randomBytes) => {
    const salt = randomBytes(8);
    const common = { hash: 'sha1', password, salt, iterations: ITERATIONS } as const;
    const key = await deriveBytes({ ...common, purpose: KDF_PURPOSE.key, length: keyBytes });
    const iv = await deriveBytes({ ...common, purpose: KDF_PURPOSE.iv, length: 8 });
    return {
      algorithm: sequence(oid(name), sequence(octetString(salt), integer(ITERATIONS))),
      ciphertext: encrypt(key, iv, plaintext),
    };
  };
}

const tripleDes = legacy({
  oid: '1.2.840.113549.1.12.1.3',
  keyBytes: 24,
  encrypt: (key, iv, plaintext) => cbc('des-ede3-cbc', key, iv, plaintext),
});

const rc2 = legacy({
  oid: '1.2.840.113549.1.12.1.6',
  keyBytes: 5,
  encrypt: (key, iv, plaintext) => rc2CbcEncrypt(key, 40, iv, plaintext),
});

function cbc(cipher: string, key: Buffer, iv: Uint8Array, plaintext: Uint8Array): Buffer {
  const encryption = createCipheriv(cipher, key, iv);
  return Buffer.concat([encryption.update(plaintext), encryption.final()]);
}

export interface ProfileEncryption {
  readonly key: PasswordEncryption;
  readonly certificates: PasswordEncryption;
  readonly mac: {
    readonly hash: 'sha1' | 'sha256';
    readonly oid: string;
    readonly bytes: number;
    readonly saltBytes: number;
  };
}

const SHA1_MAC = { hash: 'sha1', oid: '1.3.14.3.2.26', bytes: 20, saltBytes: 8 } as const;
const SHA256_MAC = { hash: 'sha256', oid: '2.16.840.1.101.3.4.2.1', bytes: 32, saltBytes: 16 } as const;

/**
 * Modern2023 is read by OpenSSL 3, and by Java from 8u301, 11.0.12 and 12 on; an older Java calls the password incorrect.
 * LegacyDES is for that Java. LegacyRC2 is for programs that know certificates under RC2 alone; OpenSSL 3 reads it only with
 * `-legacy`, and Node doesn't read it.
 */
export const PROFILES: Readonly<Record<Pkcs12Profile, ProfileEncryption>> = {
  Modern2023: { key: pbes2, certificates: pbes2, mac: SHA256_MAC },
  LegacyDES: { key: tripleDes, certificates: tripleDes, mac: SHA1_MAC },
  LegacyRC2: { key: tripleDes, certificates: rc2, mac: SHA1_MAC },
};

import { createHmac, hash } from 'node:crypto';
import { passwordThreads } from '../../threads.ts';
import { bmpString, explicit, implicit, integer, NULL, octetString, oid, sequence, set } from '../asn1/write.ts';
import { type Encrypted, ITERATIONS, type Pkcs12Profile, PROFILES, type ProfileEncryption } from './encryption.ts';
import { checkKeyEntry, checkTrusted, type KeyEntry, type RandomBytes, trustAlias } from './entries.ts';
import { checkPassword } from './password.ts';
import { deriveBytes, KDF_PURPOSE } from './pkcs12-kdf.ts';

/** Writes PKCS#12 (RFC 7292). */

const OID = {
  data: '1.2.840.113549.1.7.1',
  encryptedData: '1.2.840.113549.1.7.6',
  shroudedKeyBag: '1.2.840.113549.1.12.10.1.2',
  certBag: '1.2.840.113549.1.12.10.1.3',
  x509Certificate: '1.2.840.113549.1.9.22.1',
  friendlyName: '1.2.840.113549.1.9.20',
  localKeyId: '1.2.840.113549.1.9.21',
  /** Oracle's: Java takes a certificate without a key for a trusted one only where its bag has this attribute. */
  trustedKeyUsage: '2.16.840.1.113894.746875.1.1',
  anyExtendedKeyUsage: '2.5.29.37.0',
} as const;

interface Protection {
  readonly password: string;
  /** Modern2023 unless given. */
  readonly profile?: Pkcs12Profile;
  readonly randomBytes: RandomBytes;
}

export type Pkcs12KeyStore = KeyEntry & Protection;

/**
 * A PFX with one key and its certificates, all encrypted. Rejects with an Error for a password, an alias or a chain that some
 * reader can't take.
 */
export async function encodePkcs12(store: Pkcs12KeyStore): Promise<Buffer> {
  const { alias, chain, password, privateKeyPkcs8, profile = 'Modern2023', randomBytes } = store;
  checkKeyEntry(store);
  checkPassword(password);
  const scheme = PROFILES[profile];
  const [leaf = Buffer.alloc(0)] = chain;
  // Only a name by which readers find the certificate of the key; OpenSSL's is the same.
  const localKeyId = attribute(OID.localKeyId, octetString(hash('sha1', leaf, 'buffer')));
  const ofKey = [attribute(OID.friendlyName, bmpString(alias)), localKeyId];
  return passwordThreads.run(async () => {
    const certificates = sequence(...chain.map((der, index) => certBag(der, index === 0 ? ofKey : [])));
    const encryptedCertificates = encryptedData(await scheme.certificates(certificates, password, randomBytes));
    const { algorithm, ciphertext } = await scheme.key(privateKeyPkcs8, password, randomBytes);
    const key = bag(OID.shroudedKeyBag, sequence(algorithm, octetString(ciphertext)), ofKey);
    return pfx([encryptedCertificates, data(sequence(key))], scheme, store);
  });
}

export interface Pkcs12TrustStore extends Protection {
  /** DER. Each becomes a trusted entry: `ca`, `ca-1`, `ca-2`… */
  readonly certificates: readonly Uint8Array[];
}

/** A PFX without a key, whose certificates are trusted entries in Java. Rejects with an Error for an unusable password. */
export async function encodePkcs12TrustStore(store: Pkcs12TrustStore): Promise<Buffer> {
  const { certificates, password, profile = 'Modern2023', randomBytes } = store;
  checkTrusted(certificates);
  checkPassword(password);
  const scheme = PROFILES[profile];
  const trusted = attribute(OID.trustedKeyUsage, oid(OID.anyExtendedKeyUsage));
  const bags = certificates.map((der, index) =>
    certBag(der, [attribute(OID.friendlyName, bmpString(trustAlias(index))), trusted]),
  );
  return passwordThreads.run(async () =>
    pfx([encryptedData(await scheme.certificates(sequence(...bags), password, randomBytes))], scheme, store),
  );
}

/** RFC 7292 section 4: the MAC is over the content of the OCTET STRING, without tag and length. */
async function pfx(
  contents: readonly Buffer[],
  { mac }: ProfileEncryption,
  { password, randomBytes }: Protection,
): Promise<Buffer> {
  const authenticatedSafe = sequence(...contents);
  const salt = randomBytes(mac.saltBytes);
  const key = await deriveBytes({
    hash: mac.hash,
    purpose: KDF_PURPOSE.mac,
    password,
    salt,
    iterations: ITERATIONS,
    length: mac.bytes,
  });
  const digest = createHmac(mac.hash, key).update(authenticatedSafe).digest();
  const digestInfo = sequence(sequence(oid(mac.oid), NULL), octetString(digest));
  return sequence(integer(3), data(authenticatedSafe), sequence(digestInfo, octetString(salt), integer(ITERATIONS)));
}

function data(content: Uint8Array): Buffer {
  return sequence(oid(OID.data), explicit(0, octetString(content)));
}

function encryptedData({ algorithm, ciphertext }: Encrypted): Buffer {
  const content = sequence(oid(OID.data), algorithm, implicit(0, ciphertext));
  return sequence(oid(OID.encryptedData), explicit(0, sequence(integer(0), content)));
}

function certBag(der: Uint8Array, attributes: readonly Buffer[]): Buffer {
  const value = sequence(oid(OID.x509Certificate), explicit(0, octetString(der)));
  return bag(OID.certBag, value, attributes);
}

function bag(type: string, value: Buffer, attributes: readonly Buffer[]): Buffer {
  return sequence(oid(type), explicit(0, value), ...(attributes.length > 0 ? [set(...attributes)] : []));
}

function attribute(type: string, value: Buffer): Buffer {
  return sequence(oid(type), set(value));
}

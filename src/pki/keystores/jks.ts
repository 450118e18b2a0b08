import { hash } from 'node:crypto';
import { NULL, octetString, oid, sequence, utf16Bytes } from '../asn1/write.ts';
import { checkKeyEntry, checkTrusted, type KeyEntry, type RandomBytes, trustAlias } from './entries.ts';
import { checkPassword } from './password.ts';

/**
 * Sun's JKS format, for programs that read no PKCS#12. Its protection is weak (one round of SHA-1), and no standard
 * describes it: sun.security.provider.JavaKeyStore and KeyProtector are its only reference.
 */
const MAGIC = 0xfeedfeed;
const VERSION = 2;
const ENTRY = { key: 1, trusted: 2 } as const;
const KEY_PROTECTOR = '1.3.6.1.4.1.42.2.17.1.1';
const INTEGRITY_TEXT = Buffer.from('Mighty Aphrodite', 'latin1');
const SHA1_BYTES = 20;

export interface JksKeyStore extends KeyEntry {
  readonly password: string;
  /** The creation date of the entries. */
  readonly now: Date;
  readonly randomBytes: RandomBytes;
}

/**
 * A key store whose store and key have one password. Java looks for aliases in lower case, so the alias is written so. Throws
 * an Error for a password, an alias or a chain that some reader can't take.
 */
export function encodeJks(store: JksKeyStore): Buffer {
  const { alias, chain, now, password } = store;
  checkKeyEntry(store);
  checkPassword(password);
  const key = protectKey(store);
  const certificates = chain.map(certificate);
  return encodeStore(password, [
    Buffer.concat([
      entryHead(ENTRY.key, alias.toLowerCase(), now),
      uint32(key.length),
      key,
      uint32(certificates.length),
      ...certificates,
    ]),
  ]);
}

export interface JksTrustStore {
  /** DER. Each becomes a trusted entry: `ca`, `ca-1`, `ca-2`… */
  readonly certificates: readonly Uint8Array[];
  readonly password: string;
  readonly now: Date;
}

/** A trust store. The password encrypts nothing: it goes into a digest of the store. Throws an Error for an unusable password. */
export function encodeJksTrustStore({ certificates, password, now }: JksTrustStore): Buffer {
  checkTrusted(certificates);
  checkPassword(password);
  return encodeStore(
    password,
    certificates.map((der, index) =>
      Buffer.concat([entryHead(ENTRY.trusted, trustAlias(index), now), certificate(der)]),
    ),
  );
}

function encodeStore(password: string, entries: readonly Buffer[]): Buffer {
  const content = Buffer.concat([uint32(MAGIC), uint32(VERSION), uint32(entries.length), ...entries]);
  return Buffer.concat([content, sha1(utf16Bytes(password), INTEGRITY_TEXT, content)]);
}

function entryHead(kind: number, alias: string, now: Date): Buffer {
  const milliseconds = Buffer.alloc(8);
  milliseconds.writeBigInt64BE(BigInt(now.getTime()));
  return Buffer.concat([uint32(kind), text(alias), milliseconds]);
}

function certificate(der: Uint8Array): Buffer {
  return Buffer.concat([text('X.509'), uint32(der.length), der]);
}

/** EncryptedPrivateKeyInfo: the salt, the key under a chain of digests of the password, and a digest of the key. */
function protectKey({ password, privateKeyPkcs8, randomBytes }: JksKeyStore): Buffer {
  const secret = utf16Bytes(password);
  const salt = randomBytes(SHA1_BYTES);
  const sealed = Buffer.from(privateKeyPkcs8);
  let digest: Uint8Array = salt;
  for (let at = 0; at < sealed.length; at += SHA1_BYTES) {
    digest = sha1(secret, digest);
    for (const [i, byte] of sealed.subarray(at, at + SHA1_BYTES).entries()) sealed[at + i] = byte ^ (digest[i] ?? 0);
  }
  const content = Buffer.concat([salt, sealed, sha1(secret, privateKeyPkcs8)]);
  return sequence(sequence(oid(KEY_PROTECTOR), NULL), octetString(content));
}

/** As DataOutput.writeUTF: the length in two bytes, then modified UTF-8; see `aliasProblem`. */
function text(value: string): Buffer {
  const bytes = Buffer.from(value, 'utf8');
  return Buffer.concat([Buffer.of(bytes.length >> 8, bytes.length & 0xff), bytes]);
}

function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}

function sha1(...parts: readonly Uint8Array[]): Buffer {
  return hash('sha1', Buffer.concat(parts), 'buffer');
}

import { createDecipheriv, pbkdf2 } from 'node:crypto';
import { promisify } from 'node:util';
import { THREADS, ThreadLimit } from '../../threads.ts';

const derive = promisify(pbkdf2);
const threads = new ThreadLimit(THREADS.passwords);

/** Thrown for what is no such JWE, or for the wrong password; the message never quotes either. */
export class JweError extends Error {}

const WRAPS: Readonly<Record<string, { digest: string; keyBytes: number; cipher: string }>> = {
  'PBES2-HS256+A128KW': { digest: 'sha256', keyBytes: 16, cipher: 'aes128-wrap' },
  'PBES2-HS384+A192KW': { digest: 'sha384', keyBytes: 24, cipher: 'aes192-wrap' },
  'PBES2-HS512+A256KW': { digest: 'sha512', keyBytes: 32, cipher: 'aes256-wrap' },
};
const CONTENT_CIPHERS: Readonly<Record<string, 'aes-128-gcm' | 'aes-192-gcm' | 'aes-256-gcm'>> = {
  A128GCM: 'aes-128-gcm',
  A192GCM: 'aes-192-gcm',
  A256GCM: 'aes-256-gcm',
};
/** RFC 3394 section 2.2.3.1. */
const WRAP_IV = Buffer.alloc(8, 0xa6);
const TAG_BYTES = 16;
/** step asks for 600,000 rounds. Many more would keep a thread busy on behalf of the file's author. */
const MAX_ROUNDS = 1_000_000;
const MAX_TEXT = 16_384;

interface Parts {
  readonly protected: string;
  readonly encrypted_key: string;
  readonly iv: string;
  readonly ciphertext: string;
  readonly tag: string;
}
const PARTS = ['protected', 'encrypted_key', 'iv', 'ciphertext', 'tag'] as const;

/**
 * Opens a JWE that a password protects (RFC 7518 section 4.8), as step writes the keys of its JWK provisioners, in
 * either of its two forms: compact, as in ca.json, or JSON, as in a file.
 */
export async function openWithPassword(text: string, password: Buffer): Promise<Buffer> {
  const parts = partsOf(text.trim());
  const { alg, enc, p2c, p2s } = headerOf(parts.protected);
  const wrap = entryOf(WRAPS, alg);
  const cipher = entryOf(CONTENT_CIPHERS, enc);
  if (wrap === undefined || cipher === undefined)
    throw new JweError('it must be encrypted with PBES2 and AES-GCM, as step crypto jwk create does');
  if (typeof p2s !== 'string' || typeof p2c !== 'number' || !(p2c >= 1 && p2c <= MAX_ROUNDS))
    throw new JweError(`its header must hold p2s, and p2c from 1 to ${MAX_ROUNDS}`);
  const salt = Buffer.concat([Buffer.from(`${alg}\0`), Buffer.from(p2s, 'base64url')]);
  const wrapping = await threads.run(() => derive(password, salt, Math.floor(p2c), wrap.keyBytes, wrap.digest));
  try {
    const unwrap = createDecipheriv(wrap.cipher, wrapping, WRAP_IV);
    const key = Buffer.concat([unwrap.update(bytesOf(parts.encrypted_key)), unwrap.final()]);
    const open = createDecipheriv(cipher, key, bytesOf(parts.iv), { authTagLength: TAG_BYTES });
    open.setAAD(Buffer.from(parts.protected));
    open.setAuthTag(bytesOf(parts.tag));
    return Buffer.concat([open.update(bytesOf(parts.ciphertext)), open.final()]);
  } catch {
    // Unwrapping proves the password; OpenSSL's own words would only name its source lines.
    throw new JweError("the password doesn't open it");
  }
}

function entryOf<T>(table: Readonly<Record<string, T>>, name: unknown): T | undefined {
  return typeof name === 'string' && Object.hasOwn(table, name) ? table[name] : undefined;
}

function partsOf(text: string): Parts {
  if (text.length > MAX_TEXT) throw new JweError(`it is longer than ${MAX_TEXT} characters`);
  const found = text.startsWith('{') ? objectOf(text) : compactOf(text);
  for (const part of PARTS) if (typeof found[part] !== 'string') throw new JweError('it is no JWE');
  return found as unknown as Parts;
}

function compactOf(text: string): Record<string, unknown> {
  const values = text.split('.');
  return values.length === PARTS.length ? Object.fromEntries(PARTS.map((part, at) => [part, values[at]])) : {};
}

function headerOf(encoded: string): Record<string, unknown> {
  return objectOf(bytesOf(encoded).toString());
}

function objectOf(text: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === 'object' && value !== null) return value as Record<string, unknown>;
  } catch {
    // Said below: what JSON.parse says quotes the text.
  }
  throw new JweError('it is no JWE');
}

function bytesOf(encoded: string): Buffer {
  return Buffer.from(encoded, 'base64url');
}

import { createCipheriv, pbkdf2Sync, randomBytes } from 'node:crypto';

/** Header parameters, those too that every reader must refuse. */
export interface JweWish {
  readonly alg?: string;
  readonly enc?: string;
  readonly p2c?: unknown;
}

interface Wrap {
  readonly digest: string;
  readonly keyBytes: number;
  readonly cipher: string;
}

const DEFAULT_WRAP: Wrap = { digest: 'sha256', keyBytes: 16, cipher: 'aes128-wrap' };
export const WRAPS: ReadonlyMap<string, Wrap> = new Map([
  ['PBES2-HS256+A128KW', DEFAULT_WRAP],
  ['PBES2-HS384+A192KW', { digest: 'sha384', keyBytes: 24, cipher: 'aes192-wrap' }],
  ['PBES2-HS512+A256KW', { digest: 'sha512', keyBytes: 32, cipher: 'aes256-wrap' }],
]);
export const CONTENT_KEY_BYTES: ReadonlyMap<string, number> = new Map([
  ['A128GCM', 16],
  ['A192GCM', 24],
  ['A256GCM', 32],
]);
/** The header that the step CLI writes. */
export const STEP_ROUNDS = 600_000;

/** A compact JWE that a password protects (RFC 7518 section 4.8), in the form in which step encrypts keys of provisioners. */
export function sealWithPassword(
  content: string,
  password: string | Buffer,
  { alg = 'PBES2-HS256+A128KW', enc = 'A256GCM', p2c = 1_000 }: JweWish = {},
): string {
  const { digest, keyBytes, cipher: wrapCipher } = WRAPS.get(alg) ?? DEFAULT_WRAP;
  const salt = randomBytes(16);
  const header = encode(JSON.stringify({ alg, cty: 'jwk+json', enc, p2c, p2s: encode(salt) }));
  // A larger count is in the header alone: readers have to refuse it before they derive a key.
  const rounds = typeof p2c === 'number' && p2c > 0 && p2c <= STEP_ROUNDS ? p2c : 1;
  const wrapping = pbkdf2Sync(password, Buffer.concat([Buffer.from(`${alg}\0`), salt]), rounds, keyBytes, digest);
  const contentKeyBytes = CONTENT_KEY_BYTES.get(enc) ?? 32;
  const key = randomBytes(contentKeyBytes);
  // RFC 3394 section 2.2.3.1.
  const wrap = createCipheriv(wrapCipher, wrapping, Buffer.alloc(8, 0xa6));
  const wrapped = Buffer.concat([wrap.update(key), wrap.final()]);
  const iv = randomBytes(12);
  const cipher = createCipheriv(`aes-${contentKeyBytes * 8}-gcm` as 'aes-256-gcm', key, iv);
  cipher.setAAD(Buffer.from(header));
  const text = Buffer.concat([cipher.update(content), cipher.final()]);
  return [header, ...[wrapped, iv, text, cipher.getAuthTag()].map(encode)].join('.');
}

/** The same JWE as JSON (RFC 7516 section 7.2.2), the form in which step writes files. */
export function jsonOfJwe(compact: string): string {
  const [header, encrypted_key, iv, ciphertext, tag] = compact.split('.');
  return JSON.stringify({ protected: header, encrypted_key, iv, ciphertext, tag });
}

function encode(bytes: string | Buffer): string {
  return Buffer.from(bytes).toString('base64url');
}

import { compactDecrypt, errors, type FlattenedJWE, flattenedDecrypt } from 'jose';
import { passwordThreads } from '../../threads.ts';

/** Thrown for what is no such JWE, or for the wrong password; the message never quotes either. */
export class JweError extends Error {}

/** step asks for 600,000 rounds. Many more would keep a thread busy on behalf of the file's author. */
const MAX_ROUNDS = 1_000_000;
const MAX_TEXT = 16_384;
const OPTIONS = {
  keyManagementAlgorithms: ['PBES2-HS256+A128KW', 'PBES2-HS384+A192KW', 'PBES2-HS512+A256KW'],
  contentEncryptionAlgorithms: ['A128GCM', 'A192GCM', 'A256GCM'],
  maxPBES2Count: MAX_ROUNDS,
};

/**
 * Opens a JWE that a password protects (RFC 7518 section 4.8), as step writes the keys of its JWK provisioners, in
 * either of its two forms: compact, as in ca.json, or JSON, as in a file.
 */
export async function openWithPassword(text: string, password: Buffer): Promise<Buffer> {
  if (text.length > MAX_TEXT) throw new JweError(`it is longer than ${MAX_TEXT} characters`);
  const trimmed = text.trim();
  const open = trimmed.startsWith('{')
    ? () => flattenedDecrypt(flattened(trimmed), password, OPTIONS)
    : () => compactDecrypt(trimmed, password, OPTIONS);
  try {
    const { plaintext } = await passwordThreads.run(open);
    return Buffer.from(plaintext);
  } catch (error) {
    // What the library says may quote a header.
    throw new JweError(problemOf(error));
  }
}

function problemOf(error: unknown): string {
  if (error instanceof errors.JWEDecryptionFailed) return "the password doesn't open it";
  if (error instanceof errors.JOSEAlgNotAllowed)
    return 'it must be encrypted with PBES2 and AES-GCM, as step crypto jwk create does';
  if (error instanceof errors.JWEInvalid && /PBES2/.test(error.message))
    return `its header must hold p2s of 8 bytes or more, and p2c from 1 to ${MAX_ROUNDS}`;
  return 'it is no JWE';
}

function flattened(text: string): FlattenedJWE {
  try {
    return JSON.parse(text) as FlattenedJWE;
  } catch {
    throw new errors.JWEInvalid('no JSON');
  }
}

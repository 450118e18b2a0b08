/**
 * `openssl -passin file:` reads no more, which is the least that the readers take: `-passin pass:`, Java, GnuTLS and NSS
 * all read a store whose password has 4000 characters. None of them needs a minimum to read.
 */
const MAX_PASSWORD = 1023;

/**
 * Why a key store can't be protected by the content of a Secret's key; undefined if it can. Java refuses all but printable
 * ASCII in PBES2, and other readers disagree about the encoding. The text never holds any of the password, nor its length: who may name a Secret may not be allowed to read it.
 */
export function passwordProblem(password: Uint8Array | undefined): string | undefined {
  if (password === undefined) return 'there is no password';
  if (password.length === 0) return 'the password is empty';
  if (password.length > MAX_PASSWORD) return `the password has more than ${MAX_PASSWORD} bytes`;
  const last = password.at(-1);
  if (last === 0x0a || last === 0x0d) return 'the password ends with a line break; write it with printf, not with echo';
  if (!password.every((byte) => byte >= 0x20 && byte <= 0x7e))
    return 'the password has bytes that are not printable ASCII, which Java refuses; use the characters from space to ~';
  return undefined;
}

/** Throws an Error with that text. */
export function checkPassword(password: string): void {
  const problem = passwordProblem(Buffer.from(password, 'utf8'));
  if (problem !== undefined) throw new Error(problem);
}

import { decodeBase64 } from '../pem.ts';
import { emptyBlock, notBase64 } from './block-findings.ts';
import { Refusal, type Want } from './error.ts';
import type { TextBlock } from './scan.ts';

const HEADER = /^[ \t]*[A-Za-z][A-Za-z0-9-]{0,63}:/;
const BLANK_LINE = /(?:\r\n|\n|\r)[ \t]*[\r\n]/;
const ENCRYPTED = /^[ \t]*Proc-Type:[^\r\n]*ENCRYPTED/m;

/** Whether the header lines of RFC 1421 say that only a password opens the block. */
export function isEncrypted({ body }: TextBlock): boolean {
  return body.includes(':') && ENCRYPTED.test(body);
}

/** What the block holds. Throws a Refusal if that is not base64. */
export function decodeBlock({ body, label, number }: TextBlock, want: Want): Buffer {
  const base64 = withoutBlanks(withoutHeaders(body));
  if (base64 === '') throw new Refusal(emptyBlock(label), number);
  try {
    return decodeBase64(base64, label);
  } catch {
    throw new Refusal(notBase64(label, /^[\t\n\v\f\r -~]*$/.test(body), want), number);
  }
}

// RFC 7468 has no headers; RFC 1421 has them, with an empty line below, and OpenSSL and Go skip them.
function withoutHeaders(body: string): string {
  if (!HEADER.test(body)) return body;
  const blank = BLANK_LINE.exec(body);
  return blank === null ? body : body.slice(blank.index + blank[0].length);
}

/** RFC 7468 section 3 (laxbase64text) allows blanks and line breaks anywhere between the characters. */
function withoutBlanks(text: string): string {
  const bytes = Buffer.from(text, 'latin1');
  let length = 0;
  for (let at = 0; at < bytes.length; at += 1) {
    const code = bytes[at] ?? 0;
    if (code === 0x20 || (code >= 0x09 && code <= 0x0d)) continue;
    bytes[length] = code;
    length += 1;
  }
  return bytes.toString('latin1', 0, length);
}

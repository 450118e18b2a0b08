/** One block of a PEM text (RFC 7468). */
export interface PemBlock {
  /** What stands between `BEGIN ` and the dashes, such as `CERTIFICATE`. */
  readonly label: string;
  readonly der: Buffer;
}

/** A chain of a few RSA-4096 certificates stays far below it; parsing what is larger would only serve an attacker. */
export const MAX_PEM_BYTES = 100_000;

/** Thrown for a key that only a password opens. */
export class EncryptedPemError extends Error {}

interface PemOptions {
  /** Refuses anything but whitespace outside the blocks. Off, such text is skipped, as RFC 7468 section 2 allows. */
  strict?: boolean;
  maxBytes?: number;
}

const BEGIN = '-----BEGIN ';
const END = '-----END ';
const DASHES = '-----';
const LABEL = /^[A-Z0-9](?:[A-Z0-9 ]{0,62}[A-Z0-9])?$/;

/** The blocks in the order of the text. Throws an Error that says what is malformed, without quoting the text. */
export function parsePem(text: string, { strict = true, maxBytes = MAX_PEM_BYTES }: PemOptions = {}): PemBlock[] {
  if (text.length > maxBytes || Buffer.byteLength(text) > maxBytes) throw new Error(`PEM over ${maxBytes} bytes`);
  const blocks: PemBlock[] = [];
  let label: string | undefined;
  let body = '';
  for (const rawLine of text.split('\n')) {
    const line = trimAscii(rawLine);
    if (label === undefined) {
      if (line.startsWith(BEGIN)) label = labelOf(line, BEGIN);
      else if (strict && line !== '') throw new Error('bytes outside the PEM blocks');
    } else if (line.startsWith(END)) {
      if (labelOf(line, END) !== label) throw new Error(`the PEM block ${label} ends with another label`);
      blocks.push({ label, der: decodeBase64(body, label) });
      label = undefined;
      body = '';
    } else {
      if (line.startsWith('Proc-Type:') && line.includes('ENCRYPTED'))
        throw new EncryptedPemError('the private key is encrypted');
      body += line;
    }
  }
  if (label !== undefined) throw new Error(`the PEM block ${label} has no end`);
  return blocks;
}

/** Lines of 64 characters and a newline at the end, so that texts can be concatenated. */
export function toPem(label: string, der: Uint8Array): string {
  const base64 = (Buffer.isBuffer(der) ? der : Buffer.from(der.buffer, der.byteOffset, der.byteLength)).toString(
    'base64',
  );
  let text = `${BEGIN}${label}${DASHES}\n`;
  for (let at = 0; at < base64.length; at += 64) text += `${base64.slice(at, at + 64)}\n`;
  return `${text}${END}${label}${DASHES}\n`;
}

function labelOf(line: string, start: string): string {
  const label = line.slice(start.length, -DASHES.length);
  if (!line.endsWith(DASHES) || !LABEL.test(label)) throw new Error('malformed PEM label');
  return label;
}

/** Throws if the text, which holds no blanks, is not base64 in its one canonical form. */
// Buffer skips what isn't base64, so only the round trip proves that nothing was skipped.
export function decodeBase64(text: string, label: string): Buffer {
  const der = Buffer.from(text, 'base64');
  if (der.length === 0) throw new Error(`the PEM block ${label} is empty`);
  if (der.toString('base64') !== text) throw new Error(`the PEM block ${label} is not base64`);
  return der;
}

// String.trim would also take U+00A0, U+FEFF and others, which are bytes outside the blocks.
function trimAscii(line: string): string {
  let start = 0;
  let end = line.length;
  while (start < end && isSpace(line.charCodeAt(start))) start += 1;
  while (end > start && isSpace(line.charCodeAt(end - 1))) end -= 1;
  return start === 0 && end === line.length ? line : line.slice(start, end);
}

function isSpace(code: number): boolean {
  return code === 0x20 || (code >= 0x09 && code <= 0x0d);
}

/** Names of RFC 1035: labels of at most 63 bytes, together at most 255. */

/** What is no name, or a message that can't be read. */
export class DnsFormatError extends Error {}

const LONGEST_LABEL = 63;
const LONGEST_NAME = 255;
const MOST_STEPS = 16_384;

/** Labels and pointers that may still be read of one message. */
export interface NameEffort {
  stepsLeft: number;
}

/**
 * An answer of 64 KiB has room for thousands of names, each of which can lead through thousands of pointers: to read them all
 * would hold up the event loop for half a second.
 */
export function newNameEffort(): NameEffort {
  return { stepsLeft: MOST_STEPS };
}

/**
 * The bytes of a name, in lower case and without compression, which is also its canonical form (RFC 8945 section 4.3.3).
 * `\ddd` stands for a byte by its decimal number. Throws DnsFormatError.
 */
export function encodeName(name: string): Buffer {
  const labels = name === '.' || name === '' ? [] : name.replace(/\.$/, '').split('.');
  const parts = labels.map((label) => {
    const bytes = Buffer.from(
      label.replace(/\\(\d{3})/g, (_, digits: string) => String.fromCharCode(Number(digits))).toLowerCase(),
      'latin1',
    );
    if (bytes.length === 0 || bytes.length > LONGEST_LABEL)
      throw new DnsFormatError(`${name} is no DNS name: a label has 1 to ${LONGEST_LABEL} bytes`);
    // An ACME server or an alias may have chosen it, and what listens at the address may read lines of text.
    if (bytes.some((byte) => byte <= 0x20 || byte >= 0x7f))
      throw new DnsFormatError(
        `${name} is no name of a record: a label holds a space, a control character or a byte above 126`,
      );
    return Buffer.concat([Buffer.of(bytes.length), bytes]);
  });
  const encoded = Buffer.concat([...parts, Buffer.of(0)]);
  if (encoded.length > LONGEST_NAME)
    throw new DnsFormatError(`${name} is no DNS name: it has more than ${LONGEST_NAME} bytes`);
  return encoded;
}

/**
 * The name at `offset` of a message, in lower case and without a final dot (the root is `.`), and the offset behind it. All
 * names of a message share one `effort`. Throws DnsFormatError.
 */
export function decodeName(
  message: Buffer,
  offset: number,
  effort: NameEffort = newNameEffort(),
): { readonly name: string; readonly next: number } {
  const labels: string[] = [];
  let at = offset;
  let next: number | undefined;
  let length = 1;
  for (;;) {
    effort.stepsLeft -= 1;
    if (effort.stepsLeft < 0) throw new DnsFormatError('the answer has too many names');
    const size = byteAt(message, at);
    if (size === 0) return { name: labels.join('.') || '.', next: next ?? at + 1 };
    if (size >= 0xc0) {
      const target = ((size & 0x3f) << 8) | byteAt(message, at + 1);
      next ??= at + 2;
      // Only backwards, so that no pointers lead in a circle.
      if (target >= at) throw new DnsFormatError('a name in the answer points forwards');
      at = target;
    } else {
      if (size > LONGEST_LABEL) throw new DnsFormatError('a label in the answer is of an unknown kind');
      length += size + 1;
      if (length > LONGEST_NAME || at + 1 + size > message.length)
        throw new DnsFormatError('a name in the answer is too long');
      labels.push(textOf(message.subarray(at + 1, at + 1 + size)));
      at += size + 1;
    }
  }
}

/** Whether `name` is `zone` or below it. */
export function isWithin(name: string, zone: string): boolean {
  return zone === '.' || name === zone || name.endsWith(`.${zone}`);
}

/** As names are compared: in lower case, without the final dot. */
export function canonicalName(name: string): string {
  return name.toLowerCase().replace(/(?<=.)\.$/, '');
}

/** The name one label up; undefined above the root. */
export function parentName(name: string): string | undefined {
  if (name === '.') return undefined;
  const dot = name.indexOf('.');
  return dot === -1 ? '.' : name.slice(dot + 1);
}

function textOf(label: Buffer): string {
  return label
    .toString('latin1')
    .toLowerCase()
    .replace(/[^-_*a-z0-9]/g, (character) => `\\${String(character.charCodeAt(0)).padStart(3, '0')}`);
}

function byteAt(message: Buffer, offset: number): number {
  const byte = message[offset];
  if (byte === undefined) throw new DnsFormatError('the answer ends in the middle of a name');
  return byte;
}

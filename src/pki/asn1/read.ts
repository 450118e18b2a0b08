import { isUtf8 } from 'node:buffer';
import { HIGH_TAG, MAX_DER_BYTES, TAG } from './write.ts';

/**
 * Reads DER (X.690), and only that: indefinite and padded lengths, long tags and bytes left over are refused. Nothing
 * here recurses; a caller that wants to go deeper asks for the children, so the depth is that of the caller's code.
 */
export interface Element {
  readonly tag: number;
  /** Tag, length and content. */
  readonly bytes: Buffer;
  readonly content: Buffer;
}

/** More than a certificate of 64 kB can usefully hold. */
const MAX_CHILDREN = 10_000;
const MAX_OID_BYTES = 64;

function readAt(source: Buffer, start: number, end: number): Element {
  const tag = source[start];
  const first = source[start + 1];
  if (tag === undefined || first === undefined || start + 2 > end) throw new Error('DER cut short');
  if ((tag & HIGH_TAG) === HIGH_TAG) throw new Error('DER with a long tag');
  let contentStart = start + 2;
  let length = first;
  if (first >= 0x80) {
    const count = first & 0x7f;
    if (count === 0) throw new Error('DER with an indefinite length');
    if (count > 3) throw new Error(`a DER value over ${MAX_DER_BYTES} bytes`);
    if (contentStart + count > end) throw new Error('DER cut short');
    length = source.readUIntBE(contentStart, count);
    if (length < 0x80 || (count > 1 && length < 1 << (8 * (count - 1)))) throw new Error('DER with a padded length');
    contentStart += count;
  }
  const contentEnd = contentStart + length;
  if (contentEnd > end) throw new Error('DER cut short');
  return { tag, bytes: source.subarray(start, contentEnd), content: source.subarray(contentStart, contentEnd) };
}

/** The one element that the bytes hold, of the given tag. */
export function readElement(source: Buffer, tag: number, what: string): Element {
  const element = readAt(source, 0, source.length);
  if (element.bytes.length !== source.length) throw new Error(`bytes after the ${what}`);
  return expectTag(element, tag, what);
}

/** What is inside a SEQUENCE, SET or explicit tag, one level deep. */
export function children(parent: Element): Element[] {
  const found: Element[] = [];
  for (const element of elements(parent)) {
    if (found.length === MAX_CHILDREN) throw new Error(`DER with more than ${MAX_CHILDREN} values in a list`);
    found.push(element);
  }
  return found;
}

/** The same one by one, without a bound on their number. */
export function* elements({ tag, content }: Pick<Element, 'tag' | 'content'>): Generator<Element> {
  if ((tag & 0x20) === 0) throw new Error('DER: a primitive value where a list belongs');
  for (let at = 0; at < content.length; ) {
    const element = readAt(content, at, content.length);
    yield element;
    at += element.bytes.length;
  }
}

export function expectTag(element: Element | undefined, tag: number, what: string): Element {
  if (element === undefined) throw new Error(`no ${what}`);
  if (element.tag !== tag) throw new Error(`${what} of the wrong type (tag 0x${element.tag.toString(16)})`);
  return element;
}

export function readBoolean({ content }: Element): boolean {
  const value = content[0];
  if (content.length !== 1 || (value !== 0 && value !== 0xff)) throw new Error('a BOOLEAN that is not DER');
  return value === 0xff;
}

/** A small non-negative INTEGER, such as a version or a path length. */
export function readSmallInteger(element: Element, what: string): number {
  const { content } = expectTag(element, TAG.integer, what);
  const first = content[0];
  if (first === undefined || first >= 0x80 || content.length > 4) throw new Error(`${what} out of range`);
  if (content.length > 1 && first === 0 && (content[1] ?? 0) < 0x80) throw new Error(`${what} is padded`);
  return content.readUIntBE(0, content.length);
}

/** The bytes of a BIT STRING that is made of whole bytes, such as a key or a signature. */
export function readBytesOfBits(element: Element | undefined, what: string): Buffer {
  const { content } = expectTag(element, TAG.bitString, what);
  if (content[0] !== 0) throw new Error(`${what} is not made of whole bytes`);
  return content.subarray(1);
}

/** The numbers of the set bits; bit 0 is the leftmost. */
export function readNamedBits(element: Element, what: string): number[] {
  const { content } = expectTag(element, TAG.bitString, what);
  const unused = content[0];
  if (unused === undefined || unused > 7 || content.length > 5) throw new Error(`${what} is malformed`);
  const bits: number[] = [];
  for (let bit = 0; bit < (content.length - 1) * 8 - unused; bit += 1) {
    if (((content[1 + (bit >> 3)] ?? 0) & (0x80 >> (bit & 7))) !== 0) bits.push(bit);
  }
  return bits;
}

/** Dotted decimals. The length is bounded since long arcs cost quadratic time. */
export function readOid(element: Element | undefined, what: string): string {
  const { content } = expectTag(element, TAG.oid, what);
  const last = content.at(-1);
  if (last === undefined || last >= 0x80 || content.length > MAX_OID_BYTES) throw new Error(`${what} is malformed`);
  const arcs: (number | bigint)[] = [];
  let arc = 0n;
  for (const byte of content) {
    if (arc === 0n && byte === 0x80) throw new Error(`${what} is padded`);
    arc = arc * 128n + BigInt(byte & 0x7f);
    if (byte < 0x80) {
      arcs.push(arc);
      arc = 0n;
    }
  }
  const [first = 0n, ...rest] = arcs.map(BigInt);
  const root = first < 80n ? first / 40n : 2n;
  return [root, first - root * 40n, ...rest].join('.');
}

/** Text of any of the string types that a DirectoryString may be (RFC 5280 section 4.1.2.4). */
export function readText({ tag, content }: Element): string {
  switch (tag) {
    case TAG.utf8String:
      if (!isUtf8(content)) throw new Error('text that is not UTF-8');
      return content.toString('utf8');
    case TAG.printableString:
    case TAG.ia5String:
      return readAscii(content);
    case TAG.teletexString:
      return content.toString('latin1');
    case TAG.bmpString:
      return readWide(content, 2);
    case TAG.universalString:
      return readWide(content, 4);
    default:
      throw new Error(`text of an unknown type (tag 0x${tag.toString(16)})`);
  }
}

export function readAscii(content: Buffer): string {
  const text = content.toString('latin1');
  // biome-ignore lint/suspicious/noControlCharactersInRegex: ASCII has them, and to refuse them is not the reader's task
  if (!/^[\x00-\x7f]*$/.test(text)) throw new Error('text that is not ASCII');
  return text;
}

function readWide(content: Buffer, width: 2 | 4): string {
  let text = '';
  for (let at = 0; at < content.length; at += width) {
    if (at + width > content.length) throw new Error('text cut short');
    const point = content.readUIntBE(at, width);
    if (point > 0x10ffff) throw new Error('text with a character beyond Unicode');
    text += width === 2 ? String.fromCharCode(point) : String.fromCodePoint(point);
  }
  return text;
}

const UTC_TIME = /^\d{12}Z$/;
const GENERALIZED_TIME = /^\d{14}Z$/;

/** RFC 5280 section 4.1.2.5 allows one spelling each: whole seconds, Z. */
export function readTime(element: Element | undefined, what: string): Date {
  if (element === undefined) throw new Error(`no ${what}`);
  const text = element.content.length <= 15 ? element.content.toString('latin1') : '';
  if (element.tag === TAG.utcTime && UTC_TIME.test(text)) {
    return dateOf(`${Number(text.slice(0, 2)) < 50 ? '20' : '19'}${text}`, what);
  }
  if (element.tag === TAG.generalizedTime && GENERALIZED_TIME.test(text)) return dateOf(text, what);
  throw new Error(`${what} is malformed`);
}

function dateOf(digits: string, what: string): Date {
  const part = (from: number, to: number) => Number(digits.slice(from, to));
  const date = new Date(0);
  date.setUTCFullYear(part(0, 4), part(4, 6) - 1, part(6, 8));
  date.setUTCHours(part(8, 10), part(10, 12), part(12, 14));
  // Date carries the 31st of June over into July; only the right date spells the same.
  if (date.toISOString().replace(/[-:T]|\.000/g, '') !== digits) throw new Error(`${what} is not a date`);
  return date;
}

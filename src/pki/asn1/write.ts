import { isAscii } from 'node:buffer';

/** Writes DER (X.690). Every function returns a whole TLV. */

export const TAG = {
  boolean: 0x01,
  integer: 0x02,
  bitString: 0x03,
  octetString: 0x04,
  null: 0x05,
  oid: 0x06,
  enumerated: 0x0a,
  utf8String: 0x0c,
  printableString: 0x13,
  teletexString: 0x14,
  ia5String: 0x16,
  utcTime: 0x17,
  generalizedTime: 0x18,
  universalString: 0x1c,
  bmpString: 0x1e,
  sequence: 0x30,
  set: 0x31,
} as const;

/** Nothing that Certwheel writes or reads comes near it. */
export const MAX_DER_BYTES = 0xffffff;

/** The low five bits all set announce a tag number in the next bytes, which no structure of X.509 uses. */
export const HIGH_TAG = 0x1f;

export function tlv(tag: number, ...parts: readonly Uint8Array[]): Buffer {
  let length = 0;
  for (const part of parts) length += part.length;
  if (length > MAX_DER_BYTES) throw new Error(`a DER value over ${MAX_DER_BYTES} bytes`);
  const headerLength = length < 0x80 ? 2 : length < 0x100 ? 3 : length < 0x10000 ? 4 : 5;
  const out = Buffer.allocUnsafe(headerLength + length);
  out[0] = tag;
  if (headerLength === 2) {
    out[1] = length;
  } else {
    out[1] = 0x80 + headerLength - 2;
    out.writeUIntBE(length, 2, headerLength - 2);
  }
  let at = headerLength;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
}

export function sequence(...parts: readonly Uint8Array[]): Buffer {
  return tlv(TAG.sequence, ...parts);
}

/** A SET OF, whose elements DER wants in the order of their encodings (X.690 section 11.6). */
export function set(...parts: readonly Uint8Array[]): Buffer {
  return tlv(TAG.set, ...(parts.length > 1 ? [...parts].sort(Buffer.compare) : parts));
}

/** A non-negative INTEGER; bytes are big-endian and unsigned. */
export function integer(value: number | Uint8Array): Buffer {
  const bytes = typeof value === 'number' ? numberBytes(value) : value;
  let start = 0;
  while (start < bytes.length - 1 && bytes[start] === 0) start += 1;
  const minimal = bytes.subarray(start);
  const first = minimal[0];
  if (first === undefined) throw new Error('an INTEGER without bytes');
  return first < 0x80 ? tlv(TAG.integer, minimal) : tlv(TAG.integer, ZERO, minimal);
}

const ZERO = Buffer.of(0);

function numberBytes(value: number): Uint8Array {
  if (!Number.isInteger(value) || value < 0 || value > 0xffffffff)
    throw new Error(`not an unsigned 32-bit number: ${value}`);
  return Buffer.of(value >>> 24, value >>> 16, value >>> 8, value);
}

export function boolean(value: boolean): Buffer {
  return Buffer.of(TAG.boolean, 1, value ? 0xff : 0);
}

export const NULL = Buffer.of(TAG.null, 0);

const oids = new Map<string, Buffer>();

/** Dotted decimals to an OBJECT IDENTIFIER. Remembered for ever, so only constants of the code belong here. */
export function oid(dotted: string): Buffer {
  let der = oids.get(dotted);
  if (der === undefined) {
    der = tlv(TAG.oid, Buffer.from(oidBytes(dotted)));
    oids.set(dotted, der);
  }
  return der;
}

function oidBytes(dotted: string): number[] {
  const [first = Number.NaN, second = Number.NaN, ...rest] = dotted.split('.').map(Number);
  const arcs = [first * 40 + second, ...rest];
  if (!arcs.every(Number.isSafeInteger)) throw new Error(`not an object identifier: ${dotted}`);
  return arcs.flatMap(base128);
}

function base128(arc: number): number[] {
  const bytes = [arc % 128];
  for (let left = Math.floor(arc / 128); left > 0; left = Math.floor(left / 128)) bytes.unshift(128 + (left % 128));
  return bytes;
}

export function octetString(bytes: Uint8Array): Buffer {
  return tlv(TAG.octetString, bytes);
}

export function bitString(bytes: Uint8Array): Buffer {
  return tlv(TAG.bitString, ZERO, bytes);
}

/** A named-bit list, whose trailing zero bits DER forbids (X.690 section 11.2.2). Bit 0 is the leftmost. */
export function namedBits(bits: readonly number[]): Buffer {
  const highest = Math.max(...bits);
  if (bits.length === 0) return tlv(TAG.bitString, ZERO);
  const bytes = Buffer.alloc(Math.floor(highest / 8) + 1);
  for (const bit of bits) bytes[bit >> 3] = (bytes[bit >> 3] ?? 0) | (0x80 >> (bit & 7));
  return tlv(TAG.bitString, Buffer.of(7 - (highest & 7)), bytes);
}

/** Throws on a lone surrogate, which would silently become another character. */
export function utf8String(text: string): Buffer {
  if (!text.isWellFormed()) throw new Error('text with half of a surrogate pair');
  return tlv(TAG.utf8String, Buffer.from(text, 'utf8'));
}

const PRINTABLE = /^[A-Za-z0-9 '()+,\-./:=?]*$/;

/** Whether PrintableString can hold the text; it knows neither `*` nor `@` nor `&`. */
export function isPrintable(text: string): boolean {
  return PRINTABLE.test(text);
}

export function printableString(text: string): Buffer {
  if (!isPrintable(text)) throw new Error('text with characters that PrintableString lacks');
  return tlv(TAG.printableString, Buffer.from(text, 'latin1'));
}

export function ia5Bytes(text: string): Buffer {
  const bytes = Buffer.from(text, 'utf8');
  if (!isAscii(bytes)) throw new Error('text that is not ASCII');
  return bytes;
}

export function ia5String(text: string): Buffer {
  return tlv(TAG.ia5String, ia5Bytes(text));
}

/** UTF-16, big-endian, without a byte order mark. */
export function utf16Bytes(text: string): Buffer {
  return Buffer.from(text, 'utf16le').swap16();
}

/** Throws on a character outside the basic multilingual plane, and on a lone surrogate: BMPString knows neither. */
export function bmpString(text: string): Buffer {
  if (/[\ud800-\udfff]/.test(text)) throw new Error('text with characters that BMPString lacks');
  return tlv(TAG.bmpString, utf16Bytes(text));
}

/** [number] EXPLICIT. */
export function explicit(number: number, content: Uint8Array): Buffer {
  return tlv(0xa0 + number, content);
}

/** [number] IMPLICIT of a primitive type: `content` comes without its own tag and length. */
export function implicit(number: number, content: Uint8Array): Buffer {
  return tlv(0x80 + number, content);
}

/** RFC 5280 section 4.1.2.5: UTCTime through 2049, GeneralizedTime from 2050; whole seconds, Z. Milliseconds are cut off. */
export function time(date: Date): Buffer {
  const year = date.getUTCFullYear();
  if (!(year >= 1950 && year < 2050)) return generalizedTime(date);
  return tlv(TAG.utcTime, Buffer.from(digitsOf(date).slice(2), 'latin1'));
}

/** RFC 5280 section 4.1.2.5.2: whole seconds, Z. Milliseconds are cut off. Throws an Error for what no four digits name. */
export function generalizedTime(date: Date): Buffer {
  const year = date.getUTCFullYear();
  if (Number.isNaN(year) || year < 0 || year > 9999) throw new Error('a time that X.509 cannot express');
  return tlv(TAG.generalizedTime, Buffer.from(digitsOf(date), 'latin1'));
}

function digitsOf(date: Date): string {
  return date
    .toISOString()
    .replace(/\.\d+Z$/, 'Z')
    .replace(/[-:T]/g, '');
}

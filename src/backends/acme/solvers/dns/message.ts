import { DnsFormatError, decodeName, encodeName, newNameEffort } from './name.ts';

// The part of RFC 1035 and RFC 2136 that challenges need. No maintained package on npm makes updates with a TSIG.

export const TYPE = { NS: 2, CNAME: 5, SOA: 6, TXT: 16, TSIG: 250 } as const;
export const CLASS = { IN: 1, NONE: 254, ANY: 255 } as const;
export const OPCODE = { QUERY: 0, UPDATE: 5 } as const;

/** RFC 1035 section 4.1.1, RFC 2136 section 2.2, and the errors of a TSIG (RFC 8945 section 3). */
export const RCODE = {
  NOERROR: 0,
  FORMERR: 1,
  SERVFAIL: 2,
  NXDOMAIN: 3,
  NOTIMP: 4,
  REFUSED: 5,
  NOTAUTH: 9,
  NOTZONE: 10,
  BADSIG: 16,
  BADKEY: 17,
  BADTIME: 18,
  BADTRUNC: 22,
} as const;

export interface Question {
  readonly name: string;
  readonly type: number;
  readonly class: number;
}

export interface ResourceRecord extends Question {
  /** Seconds. */
  readonly ttl: number;
  readonly data: Buffer;
}

/** A record of an answer. */
export interface AnsweredRecord extends ResourceRecord {
  /** The name that a CNAME or an NS record holds. */
  readonly target?: string;
}

export interface Message {
  readonly id: number;
  readonly isResponse: boolean;
  readonly opcode: number;
  /** AA: the server has the zone itself. */
  readonly isAuthoritative: boolean;
  /** RA: the server asks others too. */
  readonly isRecursive: boolean;
  readonly rcode: number;
  readonly questions: readonly Question[];
  readonly answers: readonly AnsweredRecord[];
  readonly authorities: readonly AnsweredRecord[];
  readonly additionals: readonly AnsweredRecord[];
  /** Where the TSIG begins that ends the message, if one does. */
  readonly tsigOffset: number | undefined;
}

const HEADER_BYTES = 12;
const RECURSION_DESIRED = 0x0100;

/** A query. `recurse` is for servers that are to ask others. */
export function encodeQuery(id: number, question: Question, recurse: boolean): Buffer {
  return encode(id, recurse ? RECURSION_DESIRED : 0, [question], []);
}

/** An update of one zone without prerequisites (RFC 2136 section 2). */
export function encodeUpdate(id: number, zone: string, updates: readonly ResourceRecord[]): Buffer {
  return encode(id, OPCODE.UPDATE << 11, [{ name: zone, type: TYPE.SOA, class: CLASS.IN }], updates);
}

/** In an update the records are in the third section, which is the authorities of a query. */
function encode(id: number, flags: number, questions: readonly Question[], updates: readonly ResourceRecord[]): Buffer {
  const header = words(id, flags, questions.length, 0, updates.length, 0);
  const bodies = questions.map((each) => Buffer.concat([encodeName(each.name), words(each.type, each.class)]));
  return Buffer.concat([header, ...bodies, ...updates.map(encodeRecord)]);
}

export function encodeRecord(record: ResourceRecord): Buffer {
  const ttl = Buffer.alloc(4);
  ttl.writeUInt32BE(record.ttl);
  const fixed = [words(record.type, record.class), ttl, words(record.data.length)];
  return Buffer.concat([encodeName(record.name), ...fixed, record.data]);
}

/** Numbers of 16 bits. */
export function words(...values: readonly number[]): Buffer {
  const bytes = Buffer.alloc(2 * values.length);
  for (const [index, value] of values.entries()) bytes.writeUInt16BE(value, 2 * index);
  return bytes;
}

/** The data of a TXT record with one value of at most 255 bytes, which every answer to a challenge is. */
export function textData(value: string): Buffer {
  const bytes = Buffer.from(value, 'utf8');
  if (bytes.length > 255) throw new DnsFormatError('a value of a TXT record has at most 255 bytes');
  return Buffer.concat([Buffer.of(bytes.length), bytes]);
}

/** Throws DnsFormatError for what is no message of DNS. */
export function decodeMessage(bytes: Buffer): Message {
  if (bytes.length < HEADER_BYTES) throw new DnsFormatError('the answer is too short');
  const flags = bytes.readUInt16BE(2);
  const reader = new Reader(bytes);
  const questions = repeat(bytes.readUInt16BE(4), () => reader.question());
  const answers = repeat(bytes.readUInt16BE(6), () => reader.record());
  const authorities = repeat(bytes.readUInt16BE(8), () => reader.record());
  let last: number | undefined;
  const additionals = repeat(bytes.readUInt16BE(10), () => {
    last = reader.offset;
    return reader.record();
  });
  if (reader.offset !== bytes.length) throw new DnsFormatError('the answer has bytes behind its end');
  return {
    id: bytes.readUInt16BE(0),
    isResponse: (flags & 0x8000) !== 0,
    opcode: (flags >> 11) & 15,
    isAuthoritative: (flags & 0x0400) !== 0,
    isRecursive: (flags & 0x0080) !== 0,
    rcode: flags & 15,
    questions,
    answers,
    authorities,
    additionals,
    tsigOffset: additionals.at(-1)?.type === TYPE.TSIG ? last : undefined,
  };
}

class Reader {
  offset = HEADER_BYTES;
  readonly #bytes: Buffer;
  readonly #effort = newNameEffort();

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  question(): Question {
    const { name, next } = decodeName(this.#bytes, this.offset, this.#effort);
    this.#need(next + 4);
    this.offset = next + 4;
    return { name, type: this.#bytes.readUInt16BE(next), class: this.#bytes.readUInt16BE(next + 2) };
  }

  record(): AnsweredRecord {
    const question = this.question();
    const at = this.offset;
    this.#need(at + 6);
    const end = at + 6 + this.#bytes.readUInt16BE(at + 4);
    this.#need(end);
    this.offset = end;
    const record = { ...question, ttl: this.#bytes.readUInt32BE(at), data: this.#bytes.subarray(at + 6, end) };
    if (record.type !== TYPE.CNAME && record.type !== TYPE.NS) return record;
    // Names in these may point into the rest of the message.
    const { name: target, next } = decodeName(this.#bytes, at + 6, this.#effort);
    if (next !== end) throw new DnsFormatError('a record of the answer has another length than its name');
    return { ...record, target };
  }

  #need(end: number): void {
    if (end > this.#bytes.length) throw new DnsFormatError('the answer ends in the middle of a record');
  }
}

function repeat<T>(times: number, read: () => T): T[] {
  return Array.from({ length: times }, read);
}

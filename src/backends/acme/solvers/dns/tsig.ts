import { createHmac, timingSafeEqual } from 'node:crypto';
import { CLASS, encodeRecord, type Message, TYPE, words } from './message.ts';
import { DnsFormatError, decodeName, encodeName } from './name.ts';

/** The names of cert-manager, by which a spec calls them. MD5 and SHA-1 are left out: RFC 8945 advises against both. */
export const TSIG_ALGORITHMS = {
  HMACSHA224: { name: 'hmac-sha224', hash: 'sha224' },
  HMACSHA256: { name: 'hmac-sha256', hash: 'sha256' },
  HMACSHA384: { name: 'hmac-sha384', hash: 'sha384' },
  HMACSHA512: { name: 'hmac-sha512', hash: 'sha512' },
} as const;

export type TsigAlgorithm = keyof typeof TSIG_ALGORITHMS;

export interface TsigKey {
  readonly name: string;
  readonly algorithm: TsigAlgorithm;
  readonly secret: Buffer;
}

/** Clocks may differ by so much, as RFC 8945 section 10 recommends. */
export const FUDGE_SECONDS = 300;

export interface Signed {
  readonly bytes: Buffer;
  readonly mac: Buffer;
}

/** The TSIG of an answer. */
export interface Tsig {
  readonly keyName: string;
  readonly algorithm: string;
  /** Seconds since 1970. */
  readonly timeSigned: number;
  readonly fudge: number;
  readonly mac: Buffer;
  readonly originalId: number;
  readonly error: number;
  readonly other: Buffer;
}

/**
 * The message with its TSIG (RFC 8945 section 5.1). `now` in seconds since 1970. An answer is signed over the MAC of its
 * request too; only tests make one.
 */
export function signMessage(message: Buffer, key: TsigKey, now: number, requestMac?: Buffer): Signed {
  const id = message.readUInt16BE(0);
  const unsigned = { timeSigned: now, fudge: FUDGE_SECONDS, error: 0, other: Buffer.alloc(0) };
  const mac = macOf([...before(requestMac), message, variables(key, unsigned)], key);
  const data = Buffer.concat([
    encodeName(TSIG_ALGORITHMS[key.algorithm].name),
    times(unsigned),
    words(mac.length),
    mac,
    words(id, unsigned.error, 0),
  ]);
  const record = encodeRecord({ name: key.name, type: TYPE.TSIG, class: CLASS.ANY, ttl: 0, data });
  const bytes = Buffer.concat([message, record]);
  bytes.writeUInt16BE(message.readUInt16BE(10) + 1, 10);
  return { bytes, mac };
}

/** The TSIG that ends an answer, unverified; undefined where there is none. Throws DnsFormatError. */
export function readTsig({ additionals, tsigOffset }: Message): Tsig | undefined {
  const record = additionals.at(-1);
  if (tsigOffset === undefined || record === undefined) return undefined;
  const { data } = record;
  const { name: algorithm, next } = decodeName(data, 0);
  const macAt = next + 10;
  if (macAt > data.length) throw new DnsFormatError('the TSIG of the answer is too short');
  const macEnd = macAt + data.readUInt16BE(next + 8);
  if (macEnd + 6 > data.length) throw new DnsFormatError('the TSIG of the answer is too short');
  if (macEnd + 6 + data.readUInt16BE(macEnd + 4) !== data.length)
    throw new DnsFormatError('the TSIG of the answer has another length than it says');
  return {
    keyName: record.name,
    algorithm,
    timeSigned: data.readUIntBE(next, 6),
    fudge: data.readUInt16BE(next + 6),
    mac: data.subarray(macAt, macEnd),
    originalId: data.readUInt16BE(macEnd),
    error: data.readUInt16BE(macEnd + 2),
    other: data.subarray(macEnd + 6),
  };
}

/**
 * Why this is no answer of one that has the key, as the rest of a sentence (RFC 8945 section 5.3); undefined where it is.
 * A MAC that is cut short isn't accepted. `requestMac` is that of the request, `now` in seconds.
 */
export function tsigProblem(
  bytes: Buffer,
  message: Message,
  tsig: Tsig,
  key: TsigKey,
  requestMac: Buffer,
  now: number,
): string | undefined {
  if (tsig.keyName !== key.name.toLowerCase()) return `it is signed with the key ${tsig.keyName}`;
  if (tsig.algorithm !== TSIG_ALGORITHMS[key.algorithm].name) return `it is signed with ${tsig.algorithm}`;
  const signed = Buffer.from(bytes.subarray(0, message.tsigOffset));
  signed.writeUInt16BE(tsig.originalId, 0);
  signed.writeUInt16BE(message.additionals.length - 1, 10);
  const expected = macOf([...before(requestMac), signed, variables(key, tsig)], key);
  if (tsig.mac.length !== expected.length || !timingSafeEqual(tsig.mac, expected)) return 'its signature is wrong';
  return Math.abs(now - tsig.timeSigned) > tsig.fudge ? 'it was signed at another time' : undefined;
}

/** Seconds since 1970 by the clock of a server that answered BADTIME (RFC 8945 section 5.2.3). */
export function serverTime({ other }: Tsig): number | undefined {
  return other.length === 6 ? other.readUIntBE(0, 6) : undefined;
}

type Variables = Pick<Tsig, 'timeSigned' | 'fudge' | 'error' | 'other'>;

/** RFC 8945 section 4.3.3. */
function variables({ name, algorithm }: TsigKey, tsig: Variables): Buffer {
  return Buffer.concat([
    encodeName(name),
    words(CLASS.ANY, 0, 0),
    encodeName(TSIG_ALGORITHMS[algorithm].name),
    times(tsig),
    words(tsig.error, tsig.other.length),
    tsig.other,
  ]);
}

/** RFC 8945 section 4.3.1. */
function before(requestMac: Buffer | undefined): readonly Buffer[] {
  return requestMac === undefined ? [] : [words(requestMac.length), requestMac];
}

function times({ timeSigned, fudge }: Pick<Tsig, 'timeSigned' | 'fudge'>): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeUIntBE(timeSigned, 0, 6);
  bytes.writeUInt16BE(fudge, 6);
  return bytes;
}

function macOf(parts: readonly Buffer[], { algorithm, secret }: TsigKey): Buffer {
  const hmac = createHmac(TSIG_ALGORITHMS[algorithm].hash, secret);
  for (const part of parts) hmac.update(part);
  return hmac.digest();
}

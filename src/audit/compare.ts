import { readable } from '../foreign-text.ts';
import type { ReadLine } from './line.ts';
import { parseSerial } from './serial.ts';

/** What a CA says of one certificate that it has issued. */
export interface Listed {
  /** What the text may mean; see parseSerial. */
  readonly serials: readonly [string, ...string[]];
  /** RFC 7469; undefined where the list doesn't say. */
  readonly keyPin: string | undefined;
}

/** What a line of the log says of one certificate, or of a request. */
export interface Told {
  readonly time: string;
  readonly event: string;
  /** The ClientCertificate that it is for. */
  readonly namespace: unknown;
  readonly name: unknown;
  readonly uid: unknown;
}

export interface Difference {
  readonly serial: string;
  readonly told: Told;
}

/** How the log differs from what the CA says. */
export interface Comparison {
  /** How many certificates the CA lists. */
  readonly listed: number;
  /** How many of them are published, or were adopted. */
  readonly published: number;
  /** Issued and asked for: the log has the request with that key, and no answer. */
  readonly lost: readonly Difference[];
  /** Issued, and neither the certificate nor a request with its key is in the log. */
  readonly unknown: readonly string[];
  /** Issued and signed in the log, but in no Secret. */
  readonly unpublished: readonly Difference[];
  /** Signed or published in the log, and not issued as far as the CA says. */
  readonly missing: readonly Difference[];
  /** Lines that are left out, since their hash is not that of the line. */
  readonly altered: number;
}

export interface CompareOptions {
  /** Those that ask this CA; see authorityKey. Undefined where the whole log is about it. */
  readonly authorities: ReadonlySet<string> | undefined;
  /** What ends before is not missed at the CA, which may have deleted it. */
  readonly endsAfter: Date | undefined;
}

/** A serial number has at most 59 characters with colons. */
const LONGEST_SHOWN = 100;

const LISTED = /^(.*?)(?:\s+([A-Za-z0-9+/]{43}=))?$/;

/**
 * A serial number in any form of parseSerial, and the key pin of the certificate behind it where that is known. Undefined for an
 * empty line and for a comment. Throws an Error with what it is for anything else.
 */
export function parseListed(line: string): Listed | undefined {
  const text = line.replace(/(^|\s)#.*$/, '').trim();
  if (text === '') return undefined;
  const [, number = '', keyPin] = LISTED.exec(text) ?? [];
  const [serial, ...others] = parseSerial(number);
  if (serial === undefined)
    throw new Error(
      `${readable(number, LONGEST_SHOWN)} is no serial number; write hex such as 0a:1B:2c, or decimal such as 0d1234`,
    );
  return { serials: [serial, ...others], keyPin };
}

interface Entry extends Listed {
  told: Told | undefined;
  isPublished: boolean;
}

/** Compares the lines of a log with the list of a CA. Remembers the list and the differences, whatever the size of the log. */
export class Comparing {
  readonly #options: CompareOptions;
  readonly #entries: readonly Entry[];
  readonly #bySerial = new Map<string, Entry>();
  readonly #pins = new Set<string>();
  readonly #requests = new Map<string, Told>();
  readonly #missing = new Map<string, Told>();
  #altered = 0;

  constructor(listed: Iterable<Listed>, options: CompareOptions) {
    this.#options = options;
    const entries: Entry[] = [];
    for (const each of listed) {
      const { serials, keyPin } = each;
      if (keyPin !== undefined) this.#pins.add(keyPin);
      if (serials.some((serial) => this.#bySerial.has(serial))) continue;
      const entry = { ...each, told: undefined, isPublished: false };
      entries.push(entry);
      for (const serial of serials) this.#bySerial.set(serial, entry);
    }
    this.#entries = entries;
  }

  add(line: ReadLine): void {
    if (!COMPARED.has(line.event) || !this.#isOfCa(line)) return;
    if (!line.isIntact) {
      this.#altered += 1;
      return;
    }
    const { serial, keyPin } = line.fields;
    if (line.event === 'requested') {
      if (typeof keyPin === 'string' && this.#pins.has(keyPin)) this.#requests.set(keyPin, toldBy(line));
    } else if (typeof serial === 'string') this.#addIssued(serial, line);
  }

  end(): Comparison {
    const differences = this.#entries.filter(({ isPublished }) => !isPublished);
    const found = differences.map(({ serials, keyPin, told }) => ({
      serial: serials.at(-1) ?? '',
      told,
      request: keyPin === undefined ? undefined : this.#requests.get(keyPin),
    }));
    return {
      listed: this.#entries.length,
      published: this.#entries.length - differences.length,
      lost: found.flatMap(({ serial, told, request }) => (told || !request ? [] : [{ serial, told: request }])),
      unknown: found.flatMap(({ serial, told, request }) => (told || request ? [] : [serial])),
      unpublished: found.flatMap(({ serial, told }) => (told ? [{ serial, told }] : [])),
      missing: [...this.#missing].map(([serial, told]) => ({ serial, told })),
      altered: this.#altered,
    };
  }

  #addIssued(serial: string, line: ReadLine): void {
    const entry = this.#bySerial.get(serial);
    if (entry !== undefined) {
      entry.told ??= toldBy(line);
      entry.isPublished ||= line.event !== 'signed';
    } else if (line.event !== 'adopted' && !this.#mayBeDeleted(line) && !this.#missing.has(serial))
      this.#missing.set(serial, toldBy(line));
  }

  #mayBeDeleted({ fields: { notAfter } }: ReadLine): boolean {
    const { endsAfter } = this.#options;
    return endsAfter !== undefined && typeof notAfter === 'string' && Date.parse(notAfter) <= endsAfter.getTime();
  }

  /** A fallback is another CA. */
  #isOfCa({ fields: { authority, signedBy } }: ReadLine): boolean {
    const { authorities } = this.#options;
    return authorities === undefined || authorities.has(String(signedBy ?? authority));
  }
}

/** The lines that say that a certificate was asked for, or exists. */
const COMPARED: ReadonlySet<string> = new Set(['requested', 'signed', 'published', 'adopted']);

function toldBy({ time, event, fields: { namespace, name, uid } }: ReadLine): Told {
  return { time, event, namespace, name, uid };
}

import { isIP, isIPv4 } from 'node:net';
import { domainToASCII } from 'node:url';
import { children, readAscii, readElement } from './asn1/read.ts';
import { ia5Bytes, implicit, sequence, TAG } from './asn1/write.ts';
import { isDomain, uriProblem } from './uri.ts';

/** The subject alternative names that Certwheel knows, in cert-manager's words. */
export interface Names {
  readonly dnsNames: readonly string[];
  readonly uris: readonly string[];
  readonly emailAddresses: readonly string[];
  readonly ipAddresses: readonly string[];
}

export const NO_NAMES: Names = { dnsNames: [], uris: [], emailAddresses: [], ipAddresses: [] };
export const NAME_FIELDS = [
  'dnsNames',
  'uris',
  'emailAddresses',
  'ipAddresses',
] as const satisfies readonly (keyof Names)[];

/** The context tags of GeneralName (RFC 5280 section 4.2.1.6). */
const GENERAL_NAME = { emailAddresses: 1, dnsNames: 2, uris: 6, ipAddresses: 7 } as const satisfies Record<
  keyof Names,
  number
>;
const OTHER_GENERAL_NAMES: Readonly<Record<number, string>> = {
  0: 'otherName',
  3: 'x400Address',
  4: 'directoryName',
  5: 'ediPartyName',
  8: 'registeredID',
};

const MAX_NAME_LENGTH = 2048;
// One @, and of what surrounds it only what can't be mistaken for markup or another header. Go refuses other dots before
// the @ as soon as a CA of the chain has name constraints.
const EMAIL = /^(?!\.)(?!.*\.[.@])[^\s@<>()[\],;:\\"]{1,64}@([^\s@]{1,253})$/;

/** Why a certificate can't carry the names, as a sentence that names the field; undefined if it can. */
export function namesProblem(names: Names): string | undefined {
  for (const field of NAME_FIELDS) {
    for (const name of names[field]) {
      const problem =
        name.length > MAX_NAME_LENGTH ? `a name over ${MAX_NAME_LENGTH} characters` : PROBLEMS[field](name);
      if (problem !== undefined) return `${field} holds ${problem}`;
    }
  }
  return undefined;
}

const PROBLEMS: Readonly<Record<keyof Names, (name: string) => string | undefined>> = {
  dnsNames: dnsProblem,
  uris: (name) => {
    const problem = uriProblem(name);
    return problem === undefined ? undefined : `${JSON.stringify(name)}, which ${problem}`;
  },
  emailAddresses: (name) => (isEmail(name) ? undefined : `${JSON.stringify(name)}, which is no mail address in ASCII`),
  ipAddresses: (name) => (isAddress(name) ? undefined : `${JSON.stringify(name)}, which is no IP address`),
};

function dnsProblem(name: string): string | undefined {
  if (isDnsName(name)) return undefined;
  // RFC 5280 section 7.2 wants A-labels; guessing which one was meant would certify a name that was not requested.
  const ascii = domainToASCII(name);
  const hint = ascii !== name.toLowerCase() && isDnsName(ascii) ? `; write ${JSON.stringify(ascii)}` : '';
  return `${JSON.stringify(name)}, which is no DNS name${hint}`;
}

function isDnsName(name: string): boolean {
  const host = name.startsWith('*.') ? name.slice(2) : name;
  return isDomain(host);
}

function isEmail(name: string): boolean {
  const host = EMAIL.exec(name)?.[1];
  return host !== undefined && isAsciiText(name) && isDnsName(host) && !host.startsWith('*');
}

// Node takes a zone (`fe80::1%eth0`) for a part of the address; a certificate can't hold one.
function isAddress(name: string): boolean {
  return isIP(name) !== 0 && !name.includes('%');
}

function isAsciiText(text: string): boolean {
  return /^[\x21-\x7e]*$/.test(text);
}

/** GeneralNames (DER), without duplicates; undefined if there is no name. Throws an Error with what `namesProblem` says. */
export function encodeNames(names: Names): Buffer | undefined {
  const problem = namesProblem(names);
  if (problem !== undefined) throw new Error(problem);
  const list = (['dnsNames', 'emailAddresses', 'uris', 'ipAddresses'] as const).flatMap((field) =>
    unique(field, names[field]).map((name) =>
      implicit(GENERAL_NAME[field], field === 'ipAddresses' ? addressBytes(name) : ia5Bytes(name)),
    ),
  );
  return list.length === 0 ? undefined : sequence(...list);
}

function unique(field: keyof Names, list: readonly string[]): readonly string[] {
  return list.length < 2 ? list : [...new Map(list.map((name) => [canonicalName(field, name), name])).values()];
}

/** Reads GeneralNames. `foreign` lists the kinds that Names has no place for. Throws an Error if it is malformed. */
export function decodeNames(der: Buffer): { names: Names; foreign: readonly string[] } {
  const names = {
    dnsNames: [] as string[],
    uris: [] as string[],
    emailAddresses: [] as string[],
    ipAddresses: [] as string[],
  };
  const foreign: string[] = [];
  for (const { tag, content } of children(readElement(der, TAG.sequence, 'subject alternative name'))) {
    switch (tag) {
      case 0x80 + GENERAL_NAME.dnsNames:
        names.dnsNames.push(readAscii(content));
        break;
      case 0x80 + GENERAL_NAME.uris:
        names.uris.push(readAscii(content));
        break;
      case 0x80 + GENERAL_NAME.emailAddresses:
        names.emailAddresses.push(readAscii(content));
        break;
      case 0x80 + GENERAL_NAME.ipAddresses:
        names.ipAddresses.push(addressText(content));
        break;
      default:
        foreign.push(OTHER_GENERAL_NAMES[tag & 0x1f] ?? `GeneralName ${tag & 0x1f}`);
    }
  }
  return { names, foreign };
}

/** The form in which two spellings of one name are equal. */
export function canonicalName(field: keyof Names, name: string): string {
  switch (field) {
    case 'dnsNames':
      return name.toLowerCase();
    case 'emailAddresses': {
      // RFC 5280 section 7.5: the host part ignores case, the local part doesn't.
      const at = name.lastIndexOf('@') + 1;
      return name.slice(0, at) + name.slice(at).toLowerCase();
    }
    case 'ipAddresses':
      return isAddress(name) ? addressText(addressBytes(name)) : name;
    case 'uris':
      // Compared as written: SPIFFE IDs and policies know no other equality.
      return name;
  }
}

/** A text that is equal exactly where two sets of names are: order, spelling and repetition don't count. */
export function canonicalNames(names: Names): string {
  return JSON.stringify(
    NAME_FIELDS.map((field) => [...new Set(names[field].map((name) => canonicalName(field, name)))].sort()),
  );
}

/** Whether both lists hold the same names, in whatever order and spelling. */
export function sameNames(field: keyof Names, a: readonly string[], b: readonly string[]): boolean {
  const canonical = (list: readonly string[]) => new Set(list.map((name) => canonicalName(field, name)));
  const [left, right] = [canonical(a), canonical(b)];
  return left.size === right.size && [...left].every((name) => right.has(name));
}

/**
 * The 4 or 16 bytes of an IP address. A v4 address written as ::ffff:a.b.c.d is the same host, and Go's CAs shorten it in
 * any case.
 */
export function addressBytes(text: string): Buffer {
  if (isIPv4(text)) return Buffer.from(text.split('.').map(Number));
  const [head = '', tail] = withoutDots(text).split('::');
  const groups = (part: string | undefined) => (part ? part.split(':').map((group) => Number.parseInt(group, 16)) : []);
  const [left, right] = [groups(head), groups(tail)];
  const all = [...left, ...new Array<number>(8 - left.length - right.length).fill(0), ...right];
  const bytes = Buffer.from(all.flatMap((group) => [group >> 8, group & 0xff]));
  return isMapped(bytes) ? bytes.subarray(12) : bytes;
}

function withoutDots(text: string): string {
  const at = text.lastIndexOf(':') + 1;
  if (!text.includes('.')) return text;
  const [a = 0, b = 0, c = 0, d = 0] = text.slice(at).split('.').map(Number);
  return `${text.slice(0, at)}${((a << 8) | b).toString(16)}:${((c << 8) | d).toString(16)}`;
}

function isMapped(bytes: Buffer): boolean {
  return bytes.length === 16 && bytes.subarray(0, 12).toString('hex') === '00000000000000000000ffff';
}

/** RFC 5952: lower case, no leading zeros, the longest run of two or more zero groups as `::`. */
export function addressText(bytes: Buffer): string {
  if (bytes.length === 4) return bytes.join('.');
  if (bytes.length !== 16) throw new Error(`an IP address of ${bytes.length} bytes`);
  if (isMapped(bytes)) return bytes.subarray(12).join('.');
  const groups = Array.from({ length: 8 }, (_, index) => bytes.readUInt16BE(index * 2));
  const run = longestZeroRun(groups);
  const hex = (part: readonly number[]) => part.map((group) => group.toString(16)).join(':');
  if (run.length < 2) return hex(groups);
  return `${hex(groups.slice(0, run.start))}::${hex(groups.slice(run.start + run.length))}`;
}

function longestZeroRun(groups: readonly number[]): { start: number; length: number } {
  let best = { start: 0, length: 0 };
  let start = 0;
  for (const [index, group] of groups.entries()) {
    if (group !== 0) start = index + 1;
    else if (index - start + 1 > best.length) best = { start, length: index - start + 1 };
  }
  return best;
}

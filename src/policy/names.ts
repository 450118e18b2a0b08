import { isIP } from 'node:net';
import type { Identity } from '../api/client-certificate.ts';
import type { NameField } from '../api/issuance-policy.ts';
import { valuesOf } from '../pki/name.ts';
import { addressBytes, canonicalName } from '../pki/san.ts';
import { canonicalUri } from './canonical-uri.ts';
import { type Comparison, type Fill, Glob, type Side } from './glob.ts';

/** A value in the form in which it is compared. */
export interface ComparedValue {
  readonly text: string;
  /** What is compared in two ways: scheme and host before the rest of a URI, the local part before a mail domain. */
  readonly head: string;
  readonly tail: string;
}

/** What one entry of a rule allows. */
export interface NamePattern {
  /** The one value that it allows, in its canonical form; undefined where several may fit. */
  readonly only: string | undefined;
  readonly usesLabels: boolean;
  /** Whether it has placeholders. */
  readonly isFilledIn: boolean;
  matches(value: ComparedValue, fill: Fill): boolean;
  /** See Glob; at the side of its field. */
  anchor(fill: Fill): string | undefined;
}

/** Each field of a rule that lists names, and where the values are in what is asked for. */
export const VALUES: Readonly<Record<NameField, (identity: Identity) => readonly string[]>> = {
  commonNames: ({ subject }) => (subject.commonName === undefined ? [] : [subject.commonName]),
  dnsNames: ({ names }) => names.dnsNames,
  uris: ({ names }) => names.uris,
  emailAddresses: ({ names }) => names.emailAddresses,
  ipAddresses: ({ names }) => names.ipAddresses,
  'subject.organizations': ({ subject }) => valuesOf(subject, 'organizations'),
  'subject.organizationalUnits': ({ subject }) => valuesOf(subject, 'organizationalUnits'),
  'subject.countries': ({ subject }) => valuesOf(subject, 'countries'),
  'subject.provinces': ({ subject }) => valuesOf(subject, 'provinces'),
  'subject.localities': ({ subject }) => valuesOf(subject, 'localities'),
  'subject.streetAddresses': ({ subject }) => valuesOf(subject, 'streetAddresses'),
  'subject.postalCodes': ({ subject }) => valuesOf(subject, 'postalCodes'),
  'subject.serialNumbers': ({ subject }) => valuesOf(subject, 'serialNumber'),
};

/** The side at which the names of a field are told apart best. */
export function sideOf(field: NameField): Side {
  return field === 'dnsNames' || field === 'emailAddresses' ? 'end' : 'begin';
}

export function comparedValue(field: NameField, value: string): ComparedValue {
  const text = canonicalValue(field, value);
  const at = field === 'uris' ? behindHost(text) : field === 'emailAddresses' ? behindAt(text) : 0;
  return { text, head: text.slice(0, at), tail: text.slice(at) };
}

/** The form in which a value is compared: two values that any verifier takes for the same have one form. */
function canonicalValue(field: NameField, value: string): string {
  switch (field) {
    case 'dnsNames':
      return canonicalName('dnsNames', value).replace(/\.$/, '');
    case 'emailAddresses':
    case 'ipAddresses':
      return canonicalName(field, value);
    case 'uris':
      return canonicalUri(value);
    default:
      // Letter case and blanks count: RFC 5280, section 7.1, calls such names equal, and no two verifiers agree on it.
      return value;
  }
}

/** Throws an Error that says what of the entry can't be read. */
export function readPattern(field: NameField, text: string): NamePattern {
  switch (field) {
    case 'dnsNames':
      return globPattern(
        Glob.parse(text, IN_HOST, (shape) => canonicalValue(field, shape)),
        sideOf(field),
      );
    case 'emailAddresses':
      return partedPattern(
        Glob.parse(text, IN_HOST, (shape) => canonicalValue(field, shape)),
        behindAt,
        IN_LOCAL_PART,
        IN_HOST,
        sideOf(field),
      );
    case 'uris':
      return partedPattern(Glob.parse(text, IN_PATH, canonicalUri), behindHost, IN_HOST, IN_PATH, sideOf(field));
    case 'ipAddresses':
      return addressRange(text);
    default:
      return globPattern(Glob.parse(text, IN_TEXT), sideOf(field));
  }
}

const ALPHANUMERIC = 'abcdefghijklmnopqrstuvwxyz0123456789';
const ANY_CASE = `${ALPHANUMERIC}ABCDEFGHIJKLMNOPQRSTUVWXYZ`;
const IN_TEXT: Comparison = { wildcard: new Set(`${ANY_CASE}_-`), isHost: false };
/** One label, so no dot, and no wildcard of a certificate. */
const IN_HOST: Comparison = { wildcard: new Set(`${ALPHANUMERIC}_-`), isHost: true };
/** One segment, without escapes. */
const IN_PATH: Comparison = { wildcard: new Set(`${ANY_CASE}._~-`), isHost: false };
const IN_LOCAL_PART: Comparison = { wildcard: new Set(`${ANY_CASE}._+-`), isHost: false };

function globPattern(glob: Glob, side: Side): NamePattern {
  return {
    only: glob.only,
    usesLabels: glob.usesLabels,
    isFilledIn: glob.isFilledIn,
    matches: ({ text }, fill) => glob.matches(text, fill),
    anchor: (fill) => glob.anchor(side, fill),
  };
}

/** For values whose two parts are compared in two ways; `behind` says where the second one begins. */
function partedPattern(
  glob: Glob,
  behind: (text: string) => number,
  first: Comparison,
  second: Comparison,
  side: Side,
): NamePattern {
  const [head, tail] = glob.split(behind, first, second);
  const [near, far] = side === 'begin' ? [head, tail] : [tail, head];
  return {
    ...globPattern(glob, side),
    matches: (value, fill) => head.matches(value.head, fill) && tail.matches(value.tail, fill),
    // Of each part by itself: a label is filled in as it is in one part, and in lower case in the other.
    anchor: (fill) => {
      const [nearest, rest] = [near.anchor(side, fill), far.anchor(side, fill)];
      if (nearest === undefined || rest === undefined || !near.isOneAnchor) return nearest;
      return side === 'begin' ? nearest + rest : rest + nearest;
    },
  };
}

function behindAt(text: string): number {
  return text.lastIndexOf('@') + 1;
}

/** Behind scheme and host. */
function behindHost(text: string): number {
  return /^[^:/?#]*:?(?:\/\/[^/?#]*)?/.exec(text)?.[0].length ?? 0;
}

/** An address, or a range as in 192.0.2.0/24. */
function addressRange(text: string): NamePattern {
  const [address = '', length, ...rest] = text.split('/');
  if (isIP(address) === 0 || address.includes('%') || rest.length > 0) throw new Error('it is no IP address or range');
  const bytes = addressBytes(address);
  const all = isIP(address) === 4 ? 32 : 128;
  const given = length === undefined ? all : Number(length);
  // An IPv4 address in the form of an IPv6 one is the IPv4 address.
  const bits = given - (all - bytes.length * 8);
  if (!/^\d{1,3}$/.test(length ?? '0') || given > all || bits < 0) throw new Error('its prefix length does not fit');
  return {
    only: undefined,
    usesLabels: false,
    isFilledIn: false,
    matches: ({ text: value }) => isIP(value) !== 0 && haveSamePrefix(addressBytes(value), bytes, bits),
    anchor: () => '',
  };
}

function haveSamePrefix(one: Buffer, other: Buffer, bits: number): boolean {
  if (one.length !== other.length) return false;
  const whole = bits >> 3;
  if (one.compare(other, 0, whole, 0, whole) !== 0) return false;
  const rest = bits & 7;
  return rest === 0 || ((one[whole] ?? 0) ^ (other[whole] ?? 0)) >> (8 - rest) === 0;
}

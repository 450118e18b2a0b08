import { addressBytes } from '../san.ts';
import { beginsWith, type Rdn, rdnsOf } from './directory.ts';
import { isBelow, opensslHost, uriHost } from './hosts.ts';
import type { Form, Subtree } from './subtrees.ts';

/**
 * A subtree, ready to be compared with names. Verifiers differ in what is inside: Go counts the hosts below a mail or URI
 * host, OpenSSL and Java don't. What is permitted must be inside for all of them, what is excluded for none.
 */
export interface Matcher {
  readonly text: string;
  /** Inside for every verifier. */
  readonly forAll: (name: ComparedName) => boolean;
  /** Inside for OpenSSL or Go. */
  readonly forAny: (name: ComparedName) => boolean;
  /** Inside for Java alone, which reads the constraints of all CAs but the anchor. */
  readonly forJava?: (name: ComparedName) => boolean;
  /** Whether Java fails on the comparison. */
  readonly failsJava?: (name: ComparedName) => boolean;
}

/** A name in the form in which it is compared, made once: it may be long, and the subtrees many. */
export interface ComparedName {
  readonly text: string;
  /** Of a DNS name or mail address, in lower case. */
  readonly lower: string;
  /** Of a URI: its host, and what OpenSSL takes for it. Of a mail address both are the part after the @. */
  readonly host: string;
  readonly opensslHost: string;
  /** Of a mail address: the part before the @. */
  readonly local: string;
  readonly bytes?: Buffer;
  readonly rdns?: readonly Rdn[];
}

const EMPTY: ComparedName = { text: '', lower: '', host: '', opensslHost: '', local: '' };

/** The name in the form in which subtrees of that form want it. */
export function comparedName(form: Exclude<Form, 'directory' | 'other'>, text: string): ComparedName {
  switch (form) {
    case 'ip':
      return { ...EMPTY, text, bytes: addressBytes(text) };
    case 'dns':
      return { ...EMPTY, text, lower: text.toLowerCase() };
    case 'uri':
      return { ...EMPTY, text, host: uriHost(text) ?? '', opensslHost: opensslHost(text) };
    case 'email': {
      const at = text.lastIndexOf('@');
      const lower = text.toLowerCase();
      const host = lower.slice(at + 1);
      return { ...EMPTY, text, lower, host, opensslHost: host, local: text.slice(0, Math.max(at, 0)) };
    }
  }
}

/** The subject (DER of a Name). Throws an Error if it is malformed. */
export function comparedSubject(name: Buffer): ComparedName {
  return { ...EMPTY, rdns: rdnsOf(name) };
}

export function compileSubtree({ form, base, text }: Subtree): Matcher {
  switch (form) {
    case 'dns':
      return { text, ...dns(base.toString('latin1').toLowerCase()) };
    case 'uri':
      return { text, ...uri(base.toString('latin1').toLowerCase()) };
    case 'email':
      return { text, ...email(base.toString('latin1')) };
    case 'ip':
      return { text, ...ip(base) };
    case 'directory':
      return { text, ...directory(base) };
    case 'other':
      // Nothing that is compared here has such a name.
      return { text, forAll: () => false, forAny: () => true };
  }
}

type Match = Omit<Matcher, 'text'>;

function dns(base: string): Match {
  const forAll = ({ lower }: ComparedName) => isBelow(lower, base);
  // For Go a wildcard is excluded as soon as one name that it stands for is.
  const dot = base.indexOf('.');
  const parent = dot < 0 ? undefined : `*${base.slice(dot)}`;
  return {
    forAll,
    forAny: (name) => forAll(name) || name.lower === parent,
    // StringIndexOutOfBoundsException in DNSName.constrains, with all names that aren't empty too.
    ...(base === '' && { failsJava: () => true }),
  };
}

function uri(base: string): Match {
  const inside = (host: string) => (base.startsWith('.') ? isBelow(host, base) : host === base);
  return {
    forAll: (name) => inside(name.opensslHost) && inside(name.host),
    forAny: (name) => inside(name.opensslHost) || isBelow(name.host, base),
  };
}

function email(base: string): Match {
  const lower = base.toLowerCase();
  if (base.includes('@')) {
    const at = base.lastIndexOf('@');
    const isMailbox = ({ local, host }: ComparedName) => local === base.slice(0, at) && host === lower.slice(at + 1);
    // Java compares the part before the @ without regard to case.
    return { forAll: isMailbox, forAny: isMailbox, forJava: (name) => name.lower === lower };
  }
  return {
    forAll: ({ host }) => (base.startsWith('.') ? isBelow(host, lower) : host === lower),
    forAny: ({ host }) => isBelow(host, lower),
  };
}

function ip(base: Buffer): Match {
  const half = base.length / 2;
  const mask = base.subarray(half);
  // For Java nothing is inside a range whose address has bits outside the mask.
  const aligned = mask.every((byte, index) => ((base[index] ?? 0) & ~byte) === 0);
  const isInside = (bytes: Buffer, length: number) =>
    mask.subarray(0, length).every((byte, index) => ((bytes[index] ?? 0) & byte) === ((base[index] ?? 0) & byte));
  const forAny = ({ bytes }: ComparedName) => bytes?.length === half && isInside(bytes, half);
  return {
    forAll: (name) => aligned && forAny(name),
    forAny,
    // Java 17 compares the first bytes of addresses with ranges of the other family, and for a v4 address runs out of them
    // (ArrayIndexOutOfBoundsException in IPAddressName.constrains); Java 25 doesn't.
    forJava: ({ bytes }) => bytes !== undefined && bytes.length > half && aligned && isInside(bytes, half),
    failsJava: ({ bytes }) => bytes !== undefined && bytes.length < half && isInside(bytes, bytes.length),
  };
}

function directory(base: Buffer): Match {
  const rdns = rdnsOf(base);
  const begins = (name: ComparedName, verifier: keyof Rdn) => beginsWith(name.rdns ?? [], rdns, verifier);
  return {
    forAll: (name) => begins(name, 'openssl') && begins(name, 'java'),
    forAny: (name) => begins(name, 'openssl'),
    forJava: (name) => begins(name, 'java'),
  };
}

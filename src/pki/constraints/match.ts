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

/** A name in the form in which it is compared. */
export interface ComparedName {
  /** DNS names and mail addresses as written, URIs whole. */
  readonly text: string;
  readonly bytes?: Buffer;
  readonly rdns?: readonly Rdn[];
}

/** The name in the form in which subtrees of that form want it. */
export function comparedName(form: Form, value: string): ComparedName {
  return form === 'ip' ? { text: value, bytes: addressBytes(value) } : { text: value };
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
  const forAll = ({ text }: ComparedName) => isBelow(text.toLowerCase(), base);
  // For Go a wildcard is excluded as soon as one name that it stands for is.
  const dot = base.indexOf('.');
  const parent = dot < 0 ? undefined : `*${base.slice(dot)}`;
  return {
    forAll,
    forAny: (name) => forAll(name) || name.text.toLowerCase() === parent,
    // StringIndexOutOfBoundsException in DNSName.constrains, with all names that aren't empty too.
    ...(base === '' && { failsJava: () => true }),
  };
}

function uri(base: string): Match {
  const inside = (host: string) => (base.startsWith('.') ? isBelow(host, base) : host === base);
  return {
    forAll: ({ text }) => inside(opensslHost(text)) && inside(uriHost(text) ?? ''),
    forAny: ({ text }) => inside(opensslHost(text)) || isBelow(uriHost(text) ?? '', base),
  };
}

function email(base: string): Match {
  const lower = base.toLowerCase();
  if (base.includes('@')) {
    const at = base.lastIndexOf('@');
    const [local, host] = [base.slice(0, at), lower.slice(at)];
    return {
      forAll: ({ text }) => text.slice(0, text.lastIndexOf('@')) === local && hostPart(text) === host.slice(1),
      forAny: ({ text }) => text.slice(0, text.lastIndexOf('@')) === local && hostPart(text) === host.slice(1),
      // Without regard to the case of the part before the @.
      forJava: ({ text }) => text.toLowerCase() === lower,
    };
  }
  return {
    forAll: ({ text }) => (base.startsWith('.') ? isBelow(hostPart(text), lower) : hostPart(text) === lower),
    forAny: ({ text }) => isBelow(hostPart(text), lower),
  };
}

function hostPart(address: string): string {
  return address.slice(address.lastIndexOf('@') + 1).toLowerCase();
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

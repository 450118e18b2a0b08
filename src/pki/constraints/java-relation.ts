import { beginsWith, type Rdn, rdnsOf } from './directory.ts';
import type { Subtree } from './subtrees.ts';

/** A subtree in the forms in which Java compares it, made once. */
export interface JavaSubtree extends Subtree {
  readonly lower: string;
  readonly rdns: readonly Rdn[];
}

/** Throws an Error if a directory name is malformed. */
export function forJava(subtree: Subtree): JavaSubtree {
  const { form, base } = subtree;
  return {
    ...subtree,
    lower: form === 'directory' ? '' : base.toString('latin1').toLowerCase(),
    rdns: form === 'directory' ? rdnsOf(base) : [],
  };
}

/** What another subtree is to one: `constrains` of Java's GeneralNameInterface. */
export type Relation = 'other kind' | 'equal' | 'narrower' | 'wider' | 'apart';

/** Throws an Error where Java fails on the comparison. */
export function relationInJava(one: JavaSubtree, other: JavaSubtree): Relation {
  if (one.form !== other.form) return 'other kind';
  switch (one.form) {
    case 'dns':
      return dnsRelation(one.lower, other.lower);
    case 'uri':
      return uriRelation(one.lower, other.lower);
    case 'email':
      return mailRelation(one.lower, other.lower);
    case 'ip':
      return rangeRelation(one.base, other.base);
    case 'directory':
      return directoryRelation(one.rdns, other.rdns);
    case 'other':
      return otherRelation(one, other);
  }
}

function dnsRelation(one: string, other: string): Relation {
  if (one === '' || other === '') throw new Error('Java fails on an empty DNS name');
  return textRelation(one, other, (wide, narrow) => {
    const before = narrow.at(-wide.length - 1);
    return (before === '.') !== wide.startsWith('.');
  });
}

function uriRelation(one: string, other: string): Relation {
  if (one === other) return 'equal';
  const isDomain = (host: string) => host.startsWith('.');
  const relation = dnsRelation(withoutDot(one), withoutDot(other));
  if (relation === 'equal') return isDomain(one) ? 'wider' : 'narrower';
  return isDomain(one) || isDomain(other) ? relation : 'apart';
}

function withoutDot(host: string): string {
  return host.startsWith('.') ? host.slice(1) : host;
}

function mailRelation(one: string, other: string): Relation {
  return textRelation(one, other, (wide, narrow) => {
    if (wide.includes('@')) return false;
    return wide.startsWith('.') || narrow.at(-wide.length - 1) === '@';
  });
}

function textRelation(one: string, other: string, isWider: (wide: string, narrow: string) => boolean): Relation {
  if (one === other) return 'equal';
  if (one.endsWith(other)) return isWider(other, one) ? 'wider' : 'apart';
  if (other.endsWith(one)) return isWider(one, other) ? 'narrower' : 'apart';
  return 'apart';
}

function rangeRelation(one: Buffer, other: Buffer): Relation {
  if (one.length !== other.length) return mixedRelation(one, other);
  const [oneIsWithin, otherIsWithin] = [isWithinRange(one, other), isWithinRange(other, one)];
  if (oneIsWithin && otherIsWithin) return 'equal';
  const [oneEmpty, otherEmpty] = [isEmptyRange(one), isEmptyRange(other)];
  if (oneEmpty || otherEmpty) return oneEmpty && otherEmpty ? 'equal' : oneEmpty ? 'wider' : 'narrower';
  if (otherIsWithin) return 'narrower';
  return oneIsWithin ? 'wider' : 'apart';
}

/** Java 17 takes a range of the other family for a single address, and runs out of its bytes. */
function mixedRelation(one: Buffer, other: Buffer): Relation {
  const half = other.length / 2;
  for (let index = 0; index < half; index += 1) {
    const byte = one[index];
    if (byte === undefined) throw new Error('Java 17 fails on ranges of IPv4 and IPv6 addresses');
    if ((byte & (other[half + index] ?? 0)) !== other[index]) return 'apart';
  }
  return 'wider';
}

/** A range whose address has bits outside the mask holds nothing for Java. */
function isEmptyRange(range: Buffer): boolean {
  const half = range.length / 2;
  return range.subarray(0, half).some((byte, index) => (byte & ~(range[half + index] ?? 0)) !== 0);
}

function isWithinRange(inner: Buffer, outer: Buffer): boolean {
  const half = outer.length / 2;
  return outer.subarray(half).every((mask, index) => {
    const [innerMask = 0, innerByte = 0, outerByte = 0] = [inner[half + index], inner[index], outer[index]];
    return (mask & innerMask) === mask && (outerByte & mask) === (innerByte & mask);
  });
}

function directoryRelation(one: readonly Rdn[], other: readonly Rdn[]): Relation {
  const [isBelowOne, isBelowOther] = [beginsWith(other, one, 'java'), beginsWith(one, other, 'java')];
  if (isBelowOne && isBelowOther) return 'equal';
  if (isBelowOne) return 'narrower';
  return isBelowOther ? 'wider' : 'apart';
}

function otherRelation(one: Subtree, other: Subtree): Relation {
  if (one.text !== other.text) return 'other kind';
  if (one.base.equals(other.base)) return 'equal';
  throw new Error(`Java can't compare names of the kind ${one.text}`);
}

import { isAscii } from 'node:buffer';
import { children, type Element, expectTag, readElement, readSmallInteger } from '../asn1/read.ts';
import { TAG } from '../asn1/write.ts';
import { decodeName, escapeInvisible } from '../name.ts';
import { addressText } from '../san.ts';

export type Form = 'dns' | 'uri' | 'email' | 'ip' | 'directory' | 'other';

/** One GeneralSubtree (RFC 5280 section 4.2.1.10). */
export interface Subtree {
  readonly form: Form;
  /** The GeneralName without its tag; of a directory name the whole Name (DER). */
  readonly base: Buffer;
  /** For messages: `DNS:zoo.example`. */
  readonly text: string;
  /** Whether it has a minimum above zero or a maximum, which RFC 5280 forbids. */
  readonly bounded: boolean;
}

export interface NameConstraints {
  readonly critical: boolean;
  readonly permitted: readonly Subtree[];
  readonly excluded: readonly Subtree[];
}

/** Each subtree is compared with each name of each certificate below. */
export const MAX_SUBTREES = 1000;

const PERMITTED = 0xa0;
const EXCLUDED = 0xa1;

/** Reads the value of the extension. Throws an Error if it is malformed or holds more than MAX_SUBTREES. */
export function readNameConstraints(der: Buffer, critical: boolean): NameConstraints {
  const lists = new Map<number, readonly Subtree[]>();
  let last = 0;
  let count = 0;
  for (const list of children(readElement(der, TAG.sequence, 'name constraints'))) {
    if ((list.tag !== PERMITTED && list.tag !== EXCLUDED) || list.tag <= last)
      throw new Error('name constraints are malformed');
    last = list.tag;
    const items = children(list);
    count += items.length;
    if (count > MAX_SUBTREES) throw new Error(`name constraints of more than ${MAX_SUBTREES} subtrees`);
    lists.set(list.tag, items.map(readSubtree));
  }
  return { critical, permitted: lists.get(PERMITTED) ?? [], excluded: lists.get(EXCLUDED) ?? [] };
}

function readSubtree(item: Element): Subtree {
  const [name, ...distances] = children(expectTag(item, TAG.sequence, 'name constraint'));
  if (name === undefined) throw new Error('a name constraint without a name');
  const bounded = distances.some((distance) => distance.tag !== MINIMUM || !isZero(distance));
  return { ...readBase(name), bounded };
}

const MINIMUM = 0x80;

function isZero({ content }: Element): boolean {
  return readSmallInteger({ tag: TAG.integer, bytes: content, content }, 'minimum of a name constraint') === 0;
}

/** The kinds that verifiers don't compare, by the number of their context tag. */
const OTHERS: Readonly<Record<number, string>> = {
  0: 'otherName',
  3: 'x400Address',
  5: 'ediPartyName',
  8: 'registeredID',
};

function readBase({ tag, content }: Element): Omit<Subtree, 'bounded'> {
  switch (tag) {
    case 0x81:
      return { form: 'email', base: content, text: `email:${asText(content)}` };
    case 0x82:
      return { form: 'dns', base: content, text: `DNS:${asText(content)}` };
    case 0x86:
      return { form: 'uri', base: content, text: `URI:${asText(content)}` };
    case 0x87:
      return { form: 'ip', base: content, text: `IP:${rangeText(content)}` };
    case 0xa4:
      return { form: 'directory', base: content, text: `DirName:${cut(decodeName(content).text)}` };
    default:
      return { form: 'other', base: content, text: OTHERS[tag & 0x1f] ?? `GeneralName ${tag & 0x1f}` };
  }
}

function asText(content: Buffer): string {
  return isAscii(content) ? cut(escapeInvisible(content.toString('latin1'))) : `#${cut(content.toString('hex'))}`;
}

const LONGEST = 100;

function cut(text: string): string {
  return text.length > LONGEST ? `${text.slice(0, LONGEST)}...` : text;
}

/** `10.0.0.0/8`, or with the mask written out where that isn't a run of ones. */
function rangeText(content: Buffer): string {
  if (content.length !== 8 && content.length !== 32) return `#${cut(content.toString('hex'))}`;
  const half = content.length / 2;
  const mask = content.subarray(half);
  const bits = prefixLength(mask);
  return `${addressText(content.subarray(0, half))}/${bits ?? addressText(mask)}`;
}

/** How many ones the mask begins with; undefined if ones follow a zero. */
export function prefixLength(mask: Buffer): number | undefined {
  const bits = [...mask].map((byte) => byte.toString(2).padStart(8, '0')).join('');
  const ones = bits.indexOf('0') < 0 ? bits.length : bits.indexOf('0');
  return bits.includes('1', ones) ? undefined : ones;
}

import { isAscii, isUtf8 } from 'node:buffer';
import { children, type Element, expectTag, readElement, readOid } from './asn1/read.ts';
import { sequence, set, TAG } from './asn1/write.ts';
import { decodeName } from './name.ts';

const LARGEST_ARC = 2_147_483_647;

/** Whether Go's cryptobyte reads the dotted decimals as an object identifier; true for what is none. */
export function isGoOid(dotted: string): boolean {
  return !/^[0-9.]+$/.test(dotted) || dotted.split('.').every((arc) => Number(arc) <= LARGEST_ARC);
}

/** Why OpenSSL, Go or Java can't read a Name (DER), as a sentence; undefined if all can. Throws if it is malformed. */
export function nameEncodingProblem(name: Buffer): string | undefined {
  for (const rdn of children(readElement(name, TAG.sequence, 'name'))) {
    for (const attribute of children(expectTag(rdn, TAG.set, 'RDN'))) {
      const problem = attributeProblem(attribute);
      if (problem !== undefined) return `${problem} in ${shown(attribute)}`;
    }
  }
  return undefined;
}

const LONGEST = 100;

function shown(attribute: Element): string {
  const { text } = decodeName(sequence(set(attribute.bytes)));
  return text.length > LONGEST ? `${text.slice(0, LONGEST)}...` : text;
}

function attributeProblem(attribute: Element): string | undefined {
  const [type, value, ...more] = children(attribute);
  if (more.length > 0) return 'OpenSSL and Java refuse a second value';
  if (!isGoOid(readOid(type, 'name attribute type'))) return 'Go refuses a number above 2147483647 in the type';
  return value && stringProblem(value);
}

const NUMERIC_STRING = 0x12;

/** parseASN1String of Go's crypto/x509, which reads fewer kinds of text than OpenSSL and Java. */
function stringProblem({ tag, content }: Element): string | undefined {
  switch (tag) {
    case TAG.printableString:
      return printableProblem(content);
    case TAG.utf8String:
      return isUtf8(content) ? undefined : 'OpenSSL and Go refuse a UTF8String that is not UTF-8';
    case TAG.ia5String:
      return isAscii(content) ? undefined : 'Go refuses an IA5String that is not ASCII';
    case TAG.teletexString:
      return undefined;
    case TAG.bmpString:
      return bmpProblem(content);
    case TAG.universalString:
      return 'Go refuses a UniversalString';
    case NUMERIC_STRING:
      return /^[0-9 ]*$/.test(content.toString('latin1'))
        ? undefined
        : 'Go refuses a NumericString with other characters';
    default:
      return `Go refuses a value of the type 0x${tag.toString(16)}`;
  }
}

// Go lets * and & pass, which are common.
function printableProblem(content: Buffer): string | undefined {
  const strange = /[^A-Za-z0-9 '()*+,\-./:=?&]/.exec(content.toString('latin1'))?.[0];
  return strange === undefined ? undefined : `Go refuses a PrintableString with ${JSON.stringify(strange)}`;
}

function bmpProblem(content: Buffer): string | undefined {
  if (content.length % 2 !== 0) return 'Go refuses a BMPString of an odd length';
  for (let at = 0; at < content.length; at += 2) {
    const point = content.readUInt16BE(at);
    if (point >= 0xfffe || (point >= 0xfdd0 && point <= 0xfdef) || (point >= 0xd800 && point <= 0xdfff))
      return `Go refuses a BMPString with U+${point.toString(16).toUpperCase()}`;
  }
  return undefined;
}

import { children, type Element, expectTag, readElement, readOid, readText } from './asn1/read.ts';
import { isPrintable, oid, printableString, sequence, set, TAG, utf8String } from './asn1/write.ts';

/** What a distinguished name says, in cert-manager's words. */
export interface Subject {
  readonly commonName?: string;
  readonly organizations?: readonly string[];
  readonly organizationalUnits?: readonly string[];
  readonly countries?: readonly string[];
  readonly provinces?: readonly string[];
  readonly localities?: readonly string[];
  readonly streetAddresses?: readonly string[];
  readonly postalCodes?: readonly string[];
  readonly serialNumber?: string;
}

interface AttributeType {
  readonly field: keyof Subject;
  readonly oid: string;
  /** RFC 4514 section 3, or OpenSSL's where that has none. */
  readonly short: string;
  /** The upper bound of X.520, in characters (RFC 5280 appendix A.1); verifiers exist that refuse more. */
  readonly max: number;
  /** RFC 5280 appendix A.1 types these as PrintableString; all others are DirectoryStrings. */
  readonly printable?: true;
}

/** In the order in which they are written: from the country down to the person, as X.500 has it. */
const ATTRIBUTES: readonly AttributeType[] = [
  { field: 'countries', oid: '2.5.4.6', short: 'C', max: 2, printable: true },
  { field: 'provinces', oid: '2.5.4.8', short: 'ST', max: 128 },
  { field: 'localities', oid: '2.5.4.7', short: 'L', max: 128 },
  { field: 'streetAddresses', oid: '2.5.4.9', short: 'STREET', max: 128 },
  { field: 'postalCodes', oid: '2.5.4.17', short: 'postalCode', max: 40 },
  { field: 'organizations', oid: '2.5.4.10', short: 'O', max: 64 },
  { field: 'organizationalUnits', oid: '2.5.4.11', short: 'OU', max: 64 },
  { field: 'serialNumber', oid: '2.5.4.5', short: 'serialNumber', max: 64, printable: true },
  { field: 'commonName', oid: '2.5.4.3', short: 'CN', max: 64 },
];
const byOid = new Map(ATTRIBUTES.map((type) => [type.oid, type]));

/** Why a certificate can't carry the subject, as a sentence that names the field; undefined if it can. */
export function subjectProblem(subject: Subject): string | undefined {
  for (const { field, max, printable } of ATTRIBUTES) {
    for (const value of valuesOf(subject, field)) {
      const length = [...value].length;
      if (length === 0) return `${field} holds an empty value`;
      if (length > max) return `${field} holds a value of ${length} characters; at most ${max} fit`;
      if (field === 'countries' && !/^[A-Za-z]{2}$/.test(value))
        return 'countries holds a value that is no two-letter code';
      if (printable && !isPrintable(value)) return `${field} holds characters that a PrintableString lacks`;
      if (!value.isWellFormed()) return `${field} holds half of a surrogate pair`;
    }
  }
  return undefined;
}

/** An RDNSequence (DER), one attribute for each RDN. Throws an Error with what `subjectProblem` says. */
export function encodeName(subject: Subject): Buffer {
  const problem = subjectProblem(subject);
  if (problem !== undefined) throw new Error(problem);
  const rdns = ATTRIBUTES.flatMap((type) =>
    valuesOf(subject, type.field).map((value) =>
      set(sequence(oid(type.oid), type.printable ? printableString(value) : utf8String(value))),
    ),
  );
  return sequence(...rdns);
}

export interface DistinguishedName {
  readonly subject: Subject;
  /** What Subject has no place for: other attribute types, a second common name. As `type=value`. */
  readonly foreign: readonly string[];
  /** RFC 4514-like, for people: in written order, with everything escaped that could mislead. */
  readonly text: string;
}

/** Reads an RDNSequence. Throws an Error if it is malformed. */
export function decodeName(der: Buffer): DistinguishedName {
  const lists = new Map<keyof Subject, string[]>();
  const foreign: string[] = [];
  const texts: string[] = [];
  for (const attribute of attributesOf(der)) {
    const [typeOid, valueElement] = children(expectTag(attribute, TAG.sequence, 'name attribute'));
    const dotted = readOid(typeOid, 'name attribute type');
    if (valueElement === undefined) throw new Error('name attribute without a value');
    const type = byOid.get(dotted);
    const value = type ? readText(valueElement) : foreignValue(valueElement);
    const text = `${type?.short ?? dotted}=${escapeText(value)}`;
    texts.push(text);
    const list = type && lists.get(type.field);
    if (type === undefined || (list && isSingle(type.field))) foreign.push(text);
    else if (list) list.push(value);
    else lists.set(type.field, [value]);
  }
  const subject = Object.fromEntries([...lists].map(([field, list]) => [field, isSingle(field) ? list[0] : list]));
  return { subject, foreign, text: texts.join(', ') };
}

/** Whether two names (DER) differ in nothing but letter case, blanks or string types; RFC 5280 section 7.1 calls them equal. */
export function isAlmostSameName(one: Buffer, other: Buffer): boolean {
  return one.equals(other) || folded(one) === folded(other);
}

function folded(der: Buffer): string {
  return decodeName(der).text.toLowerCase().replace(/\s+/g, ' ');
}

function attributesOf(der: Buffer): Element[] {
  return children(readElement(der, TAG.sequence, 'name')).flatMap((rdn) => children(expectTag(rdn, TAG.set, 'RDN')));
}

// Values of unknown types may be anything at all.
function foreignValue(element: Element): string {
  try {
    return readText(element);
  } catch {
    return `#${element.bytes.toString('hex')}`;
  }
}

/** Whether two subjects say the same, in whatever order within a field. Letter case counts: policies match literally. */
export function sameSubjectField(field: keyof Subject, a: Subject, b: Subject): boolean {
  const [left, right] = [valuesOf(a, field).sort(), valuesOf(b, field).sort()];
  return left.length === right.length && left.every((value, index) => value === right[index]);
}

export const SUBJECT_FIELDS: readonly (keyof Subject)[] = ATTRIBUTES.map(({ field }) => field);

function isSingle(field: keyof Subject): boolean {
  return field === 'commonName' || field === 'serialNumber';
}

/** The values of one field as a new list. */
export function valuesOf(subject: Subject, field: keyof Subject): string[] {
  const value = subject[field];
  return value === undefined ? [] : typeof value === 'string' ? [value] : [...value];
}

// A name that comes from elsewhere must not be able to forge a log line or look like two attributes.
function escapeText(value: string): string {
  return escapeInvisible(value.replace(/[\\,+"<>;=]/g, '\\$&'));
}

/**
 * Writes out what can't be seen: it could turn a line round, break it, or be a command to a terminal. So are noncharacters
 * and halves of surrogate pairs, which not every reader takes. To escape the result changes nothing.
 */
export function escapeInvisible(text: string): string {
  return text.replace(
    /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}\p{NChar}]/gu,
    (character) => `\\u{${character.codePointAt(0)?.toString(16)}}`,
  );
}

import { children, type Element, expectTag, readElement, readOid, readText } from '../asn1/read.ts';
import { TAG } from '../asn1/write.ts';

/** One RDN in the forms in which verifiers compare it: two are equal for a verifier where its forms are. */
export interface Rdn {
  readonly openssl: string;
  readonly java: string;
}

/** The RDNs of a Name (DER). Throws an Error if it is malformed. */
export function rdnsOf(name: Buffer): Rdn[] {
  return children(readElement(name, TAG.sequence, 'name')).map((rdn) => {
    const attributes = children(expectTag(rdn, TAG.set, 'RDN')).map(readAttribute);
    const join = (form: (attribute: Attribute) => string) => JSON.stringify(attributes.map(form).sort());
    return { openssl: join(opensslForm), java: join(javaForm) };
  });
}

export interface Attribute {
  /** Dotted decimals. */
  readonly type: string;
  readonly value: Element;
}

/** All attributes of a Name (DER), whatever RDN they are in. */
export function attributesOf(name: Buffer): Attribute[] {
  return children(readElement(name, TAG.sequence, 'name')).flatMap((rdn) =>
    children(expectTag(rdn, TAG.set, 'RDN')).map(readAttribute),
  );
}

function readAttribute(item: Element): Attribute {
  const [type, value] = children(expectTag(item, TAG.sequence, 'name attribute'));
  if (value === undefined) throw new Error('name attribute without a value');
  return { type: readOid(type, 'name attribute type'), value };
}

const VISIBLE_STRING = 0x1a;
const CANONICAL_IN_OPENSSL: ReadonlySet<number> = new Set([
  TAG.utf8String,
  TAG.printableString,
  TAG.teletexString,
  TAG.ia5String,
  VISIBLE_STRING,
  TAG.bmpString,
  TAG.universalString,
]);

// asn1_string_canon: the type of string doesn't count, nor does the case of ASCII letters, nor how many spaces there are.
function opensslForm({ type, value }: Attribute): string {
  if (!CANONICAL_IN_OPENSSL.has(value.tag)) return `${type}#${value.bytes.toString('hex')}`;
  const text = value.tag === VISIBLE_STRING ? value.content.toString('latin1') : readText(value);
  return `${type}=${oneSpaced(text).replace(/[A-Z]+/g, (letters) => letters.toLowerCase())}`;
}

/** The attributes that RFC 2253 has keywords for; Java compares the bytes of all others. */
const JAVA_KEYWORDS: ReadonlySet<string> = new Set([
  ...['2.5.4.3', '2.5.4.6', '2.5.4.7', '2.5.4.8', '2.5.4.9', '2.5.4.10', '2.5.4.11'],
  ...['0.9.2342.19200300.100.1.1', '0.9.2342.19200300.100.1.25'],
]);

// AVA.toRFC2253CanonicalString.
function javaForm({ type, value }: Attribute): string {
  if (!JAVA_KEYWORDS.has(type) || (value.tag !== TAG.utf8String && value.tag !== TAG.printableString))
    return `${type}#${value.bytes.toString('hex')}`;
  return `${type}=${oneSpaced(readText(value)).toUpperCase().toLowerCase().normalize('NFKD')}`;
}

function oneSpaced(text: string): string {
  return text.replace(/[ \t\n\v\f\r]+/g, ' ').replace(/^ | $/g, '');
}

/** Whether the name begins with all RDNs of the base, for the given verifier. */
export function beginsWith(name: readonly Rdn[], base: readonly Rdn[], verifier: keyof Rdn): boolean {
  return base.length <= name.length && base.every((rdn, index) => rdn[verifier] === name[index]?.[verifier]);
}

/** Attributes that choose a token, and those that choose a key in it (RFC 7512 section 2.3). */
const TOKEN_ATTRIBUTES = ['token', 'serial', 'manufacturer', 'model'] as const;
const KEY_ATTRIBUTES = ['object', 'id'] as const;

/** Attributes of RFC 7512 that Certwheel refuses, with the reason. */
const REFUSED: Readonly<Record<string, string>> = {
  'pin-value': 'a PIN does not belong in a spec: put it into the Secret of pinSecretRef',
  'pin-source': 'use pinSecretRef or pinFile for the PIN',
  'module-path': 'the operator chooses the library, with the flag --pkcs11-module',
  'module-name': 'the operator chooses the library, with the flag --pkcs11-module',
  'slot-id': 'slot numbers change; choose the token by token or serial',
};

/** What a token states of itself, as bytes of UTF-8. */
export type TokenMatch = Readonly<Partial<Record<(typeof TOKEN_ATTRIBUTES)[number], string>>>;

/** CKA_LABEL as text, CKA_ID as lower-case hex. At least one of them is set. */
export type KeyMatch = Readonly<Partial<Record<(typeof KEY_ATTRIBUTES)[number], string>>>;

/** A private key in a token. */
export interface Pkcs11Uri {
  readonly token: TokenMatch;
  readonly key: KeyMatch;
}

/** What is wrong with a URI, as a sentence. */
export class UriError extends Error {}

/**
 * Reads a PKCS#11 URI (RFC 7512) that names one private key: `token` or `serial` must be there, and `object` or `id`.
 * Throws a UriError.
 */
export function parsePkcs11Uri(uri: string): Pkcs11Uri {
  const attributes = attributesOf(uri);
  const { token, serial } = attributes;
  if (token === undefined && serial === undefined) throw new UriError('has neither token nor serial');
  return {
    token: pick(TOKEN_ATTRIBUTES, attributes),
    key: keyOf(attributes),
  };
}

/** Reads what `keyReference` wrote: a URI of nothing but `object` and `id`. Throws a UriError. */
export function parseKeyReference(reference: string): KeyMatch {
  return keyOf(attributesOf(reference));
}

/**
 * The part of a URI that names the key in its token: the same for URIs that are written in different ways, and never longer
 * than one of them, since an annotation of a Secret has to hold it.
 */
export function keyReference({ object, id }: KeyMatch): string {
  const parts = [
    ...(object === undefined ? [] : [`object=${encode(Buffer.from(object))}`]),
    ...(id === undefined ? [] : [`id=${encode(Buffer.from(id, 'hex'))}`]),
  ];
  return `pkcs11:${parts.join(';')}`;
}

/** A token for people: its attributes as in a URI. */
export function tokenText(token: TokenMatch): string {
  return TOKEN_ATTRIBUTES.flatMap((name) => (token[name] === undefined ? [] : `${name} ${token[name]}`)).join(', ');
}

/** A key for people. */
export function keyText({ object, id }: KeyMatch): string {
  return [...(object === undefined ? [] : [`object ${object}`]), ...(id === undefined ? [] : [`id ${id}`])].join(', ');
}

type Attributes = Readonly<Record<string, string>>;

function attributesOf(uri: string): Attributes {
  if (!/^pkcs11:/i.test(uri)) throw new UriError('does not begin with pkcs11:');
  const [path = '', ...query] = uri.slice('pkcs11:'.length).split('?');
  // Only the names of a query are looked at: a value may be a PIN, and this becomes a message.
  for (const part of query.flatMap((each) => each.split('&'))) refuseQuery(part.split('=')[0] ?? '');
  const found: Record<string, string> = {};
  for (const part of path.split(';')) {
    // RFC 7512 allows an empty path, and so an empty attribute.
    if (part === '') continue;
    const at = part.indexOf('=');
    const name = at < 0 ? part : part.slice(0, at);
    if (at < 0) throw new UriError('has an attribute without a value');
    if (Object.hasOwn(REFUSED, name)) throw new UriError(`has ${name}: ${REFUSED[name]}`);
    if (Object.hasOwn(found, name)) throw new UriError(`has ${name} twice`);
    found[name] = decoded(name, part.slice(at + 1));
  }
  const known: readonly string[] = [...TOKEN_ATTRIBUTES, ...KEY_ATTRIBUTES, 'type'];
  const unknown = Object.keys(found).find((name) => !known.includes(name));
  if (unknown !== undefined)
    throw new UriError(`has ${JSON.stringify(unknown.slice(0, 40))}; these are supported: ${known.join(', ')}`);
  if (found.type !== undefined && found.type !== 'private')
    throw new UriError('has another type than private; it must name the private key');
  return found;
}

function refuseQuery(name: string): void {
  const reason = Object.hasOwn(REFUSED, name) ? REFUSED[name] : 'no query is supported';
  throw new UriError(`has ${JSON.stringify(name.slice(0, 40))}: ${reason}`);
}

// RFC 7512 section 2.3: pk11-path-res-avail and the unreserved characters.
const UNESCAPED = /[-A-Za-z0-9._~:[\]@!$'()*+,=&]/;
const VALUE = new RegExp(`^(?:${UNESCAPED.source}|%[0-9A-Fa-f]{2})*$`);

function decoded(name: string, text: string): string {
  if (!VALUE.test(text))
    throw new UriError(`has a character in ${name} that must be percent-encoded (RFC 7512 section 2.3)`);
  if (text === '') throw new UriError(`has an empty ${name}`);
  const bytes = Buffer.from(
    text.replaceAll(/%(..)/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16))),
    'latin1',
  );
  if (name === 'id') return bytes.toString('hex');
  const value = bytes.toString('utf8');
  if (!Buffer.from(value).equals(bytes)) throw new UriError(`has a value of ${name} that is not UTF-8`);
  // No token has such names; they would only confuse a reader of the message.
  if (/\p{Cc}/u.test(value)) throw new UriError(`has a control character in ${name}`);
  return value;
}

function keyOf(attributes: Attributes): KeyMatch {
  const key: KeyMatch = pick(KEY_ATTRIBUTES, attributes);
  if (Object.keys(key).length === 0) throw new UriError('has neither object nor id, so it names no key');
  return key;
}

function pick<Name extends string>(names: readonly Name[], attributes: Attributes): Partial<Record<Name, string>> {
  return Object.fromEntries(
    names.flatMap((name) => (attributes[name] === undefined ? [] : [[name, attributes[name]]])),
  ) as Partial<Record<Name, string>>;
}

function encode(bytes: Buffer): string {
  return [...bytes]
    .map((byte) => {
      const character = String.fromCharCode(byte);
      return UNESCAPED.test(character) ? character : `%${byte.toString(16).padStart(2, '0').toUpperCase()}`;
    })
    .join('');
}

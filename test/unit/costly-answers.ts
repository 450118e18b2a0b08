/** Answers of an authority that are as costly as possible to read and to prove. */
import { generateKeyPairSync, sign } from 'node:crypto';
import { bitString, integer, oid, sequence, set, tlv, utf8String } from '../../src/pki/asn1/write.ts';
import { caBasicConstraints, usageExtensions } from '../../src/pki/extensions.ts';
import { publicKeyDer } from '../../src/pki/keys.ts';
import { encodeName } from '../../src/pki/name.ts';
import { NO_NAMES } from '../../src/pki/san.ts';
import { altered, extension, type Honest, inHours, nested, pemOf, rsaKeyOf, type Wish } from '../forgeries/forging.ts';

export interface CostlyAnswer {
  readonly texts: readonly string[];
  /** CAs (PEM) that are trusted besides the right one: the owner of an authority can list many. */
  readonly anchors?: readonly string[];
}

const SAN = '2.5.29.17';
const EXTENDED_KEY_USAGE = '2.5.29.37';
/** PEM of this size just fits into the limit for an answer. */
const MOST_DER = 60_000;
const MOST_CERTIFICATES = 10;
const MOST_ANCHORS = 32;

/** The curve whose signatures take longest to verify. */
const costliest = () => generateKeyPairSync('ec', { namedCurve: 'P-521' }).privateKey;
const [COSTLIEST, OTHER] = [costliest(), costliest()];
const WITH_SHA512 = sequence(oid('1.2.840.10045.4.3.4'));
const WITH_RSA = Buffer.from('300d06092a864886f70d01010b0500', 'hex');

export function costlyAnswers(honest: Honest): Readonly<Record<string, CostlyAnswer>> {
  const leafWith = (wish: Wish): CostlyAnswer => ({ texts: [altered(honest, wish), honest.intermediate.pem] });
  const withNames = (names: readonly Buffer[]) =>
    leafWith({ names: NO_NAMES, more: [extension(SAN, sequence(...names))] });
  const many = (count: number, make: (at: number) => Buffer) => Array.from({ length: count }, (_, at) => make(at));
  const text = (value: string) => set(sequence(oid('2.5.4.10'), utf8String(value)));
  return {
    'ten thousand IP addresses': withNames(many(9_900, (at) => tlv(0x87, integer(0x0a000000 + at).subarray(2)))),
    'three thousand IPv6 addresses': withNames(many(3_000, () => tlv(0x87, Buffer.alloc(16, 0xfd)))),
    'ten thousand DNS names': withNames(many(9_900, (at) => tlv(0x82, Buffer.from(at.toString(36))))),
    'nine thousand mail addresses': withNames(many(9_000, () => tlv(0x81, Buffer.from('a@b')))),
    'a URI of 60 kB': withNames([tlv(0x86, Buffer.alloc(MOST_DER, 'a'))]),
    'a thousand usages with long numbers': leafWith({
      usages: ['digital signature'],
      more: [extension(EXTENDED_KEY_USAGE, sequence(...many(900, () => tlv(0x06, longArc()))))],
    }),
    'seven thousand extensions': leafWith({ more: many(6_500, (at) => extension(`1.2.${at}`, Buffer.of())) }),
    'four thousand organizations': leafWith({ subjectDer: sequence(...many(4_000, (at) => text(at.toString(36)))) }),
    'an organization of nothing that can be seen': leafWith({ subjectDer: sequence(text('\u202e'.repeat(20_000))) }),
    'attributes with long numbers': leafWith({
      subjectDer: sequence(...many(700, () => set(sequence(tlv(0x06, longArc()), utf8String('a'))))),
    }),
    'SEQUENCEs in each other': { texts: [pemOf(nested(MOST_DER))] },
    'fourteen hundred PEM blocks': { texts: [pemOf(Buffer.of(0x30, 0)).repeat(1_400)] },
    'a hundred thousand lines': { texts: [`-----BEGIN CERTIFICATE-----${'\n'.repeat(99_000)}`] },
    'ten CAs of P-521, each signed by itself': { texts: ten(() => selfSignedOfP521()) },
    'CAs of P-521 in a maze, and anchors of their names': maze(honest),
    'ten CAs of 8192 bits, each signed by itself': {
      texts: ten(() => signedByRsa(rsaKeyOf(Buffer.of(1, 0, 1), 1_024), 1_024)),
    },
    'ten CAs of 16384 bits, each signed by itself': {
      texts: ten(() => signedByRsa(rsaKeyOf(Buffer.of(1, 0, 1), 2_048), 2_048)),
    },
    'ten CAs with a long exponent, each signed by itself': {
      texts: ten(() => signedByRsa(rsaKeyOf(Buffer.alloc(383, 0x7f), 384), 384)),
    },
    'ten CAs of a curve of their own, each signed by itself': {
      texts: ten(() => signedByRsa(ownCurve(), 100)),
    },
  };
}

/** Bodies of a megabyte; their field `certChain` has to be read. */
export function costlyBodies({ leaf }: Honest): Readonly<Record<string, string>> {
  const megabyte = 2 ** 20;
  return {
    'certificates by the thousand': JSON.stringify({ certChain: Array(1_000).fill(leaf.pem) }),
    'texts without anything in them': `{"certChain":[${'"",'.repeat(megabyte / 3 - 10)}""]}`,
    'numbers in place of texts': `{"certChain":[${'1,'.repeat(megabyte / 2 - 10)}1]}`,
    'lists in each other': `{"certChain":${'['.repeat(megabyte / 2 - 10)}${']'.repeat(megabyte / 2 - 10)}}`,
    'members by the thousand': `{${Array.from({ length: 80_000 }, (_, at) => `"m${at}":1`).join()}}`,
  };
}

function ten(make: () => string): string[] {
  return Array.from({ length: MOST_CERTIFICATES }, make);
}

/** The longest number that is read. */
function longArc(): Buffer {
  return Buffer.concat([Buffer.of(0x2a), Buffer.alloc(62, 0xff), Buffer.of(1)]);
}

let serial = 1;

function caOf(
  names: { readonly subject: string; readonly issuer: string },
  publicKey: Buffer,
  algorithm: Buffer,
  signature: (body: Buffer) => Buffer,
): string {
  serial += 1;
  const body = sequence(
    Buffer.from('a003020102', 'hex'),
    integer(serial),
    algorithm,
    encodeName({ commonName: names.issuer }),
    validity(),
    encodeName({ commonName: names.subject }),
    publicKey,
    tlv(0xa3, sequence(caBasicConstraints(), ...usageExtensions(['cert sign']))),
  );
  return pemOf(sequence(body, algorithm, bitString(signature(body))));
}

function validity(): Buffer {
  const moment = (date: Date) => tlv(0x18, Buffer.from(`${date.toISOString().replace(/[-:T]|\.\d+/g, '')}`));
  return sequence(moment(inHours(-1)), moment(inHours(1_000)));
}

const ofP521 = (key: typeof COSTLIEST) => (body: Buffer) => sign('sha512', body, key);

function selfSignedOfP521(): string {
  return caOf({ subject: 'same', issuer: 'same' }, publicKeyDer(COSTLIEST), WITH_SHA512, ofP521(COSTLIEST));
}

/** Two CAs that have certified each other again and again: every one of them leads to all of the other's. */
function maze(honest: Honest): CostlyAnswer {
  const of = (subject: string, key: typeof COSTLIEST, issuer: string, by: typeof COSTLIEST) =>
    caOf({ subject, issuer }, publicKeyDer(key), WITH_SHA512, ofP521(by));
  const others = Array.from({ length: MOST_CERTIFICATES - 1 }, (_, at) =>
    at % 2 === 0 ? of('one', COSTLIEST, 'two', OTHER) : of('two', OTHER, 'one', COSTLIEST),
  );
  const stranger = costliest();
  const anchors = Array.from({ length: MOST_ANCHORS }, (_, at) => {
    const name = at % 2 === 0 ? 'one' : 'two';
    return of(name, stranger, 'elsewhere', stranger);
  });
  const below = { subjectDer: encodeName({ commonName: 'one' }), subjectKeyId: undefined };
  const certificate = { ...honest.intermediate, ...below };
  const issuer = { certificate, signature: { algorithm: WITH_SHA512, sign: ofP521(COSTLIEST) } };
  return { texts: [altered(honest, { issuer }), ...others], anchors };
}

function signedByRsa(publicKey: Buffer, signatureBytes: number): string {
  return caOf({ subject: 'same', issuer: 'same' }, publicKey, WITH_RSA, () => Buffer.alloc(signatureBytes, 1));
}

/** An EC key of any size with an explicit curve (RFC 3279 section 2.3.5). */
function ownCurve(): Buffer {
  const parameters = sequence(integer(1), sequence(oid('1.2.840.10045.1.1'), integer(Buffer.alloc(1_000, 0x7f))));
  return sequence(sequence(oid('1.2.840.10045.2.1'), parameters), bitString(Buffer.alloc(2_001, 4)));
}

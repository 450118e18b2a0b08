/** CA material that is made to cost as much as it can to read. */
import { generateKeyPairSync, type KeyObject, randomInt } from 'node:crypto';
import { boolean, octetString, oid, sequence, set, tlv, utf8String } from '../../src/pki/asn1/write.ts';
import { caBasicConstraints, usageExtensions } from '../../src/pki/extensions.ts';
import { publicKeyDer } from '../../src/pki/keys.ts';
import { toPem } from '../../src/pki/pem.ts';
import { hoursFromNow, serial } from './make.ts';
import { writeCertificate } from './write-certificate.ts';

export const MEBIBYTE = 2 ** 20;

const p521 = () => generateKeyPairSync('ec', { namedCurve: 'P-521' }).privateKey;
export const [ONE, OTHER] = [p521(), p521()];
export const P256 = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey;

const name = (text: string) => (text === '' ? sequence() : sequence(set(sequence(oid('2.5.4.3'), utf8String(text)))));

interface Wish {
  readonly subject?: string;
  readonly issuer?: string;
  readonly key?: KeyObject;
  readonly by?: KeyObject;
  readonly more?: readonly Buffer[];
}

/** A CA certificate (PEM) without key ids, so that names alone lead from one to another. */
export function ca({ subject = '', issuer = subject, key = ONE, by = key, more = [] }: Wish = {}): string {
  const der = writeCertificate({
    notBefore: hoursFromNow(-1),
    notAfter: hoursFromNow(1_000 + randomInt(1_000)),
    serialNumber: serial(),
    issuerDer: name(issuer),
    subjectDer: name(subject),
    publicKeyDer: publicKeyDer(key),
    extensions: [caBasicConstraints(), ...usageExtensions(['cert sign']), ...more],
    signingKey: by,
  });
  return toPem('CERTIFICATE', der);
}

export const many = (count: number, make: (at: number) => string) =>
  Array.from({ length: count }, (_, at) => make(at)).join('');
/** Copies until so many bytes are full. */
const upTo = (bytes: number, pem: string) => pem.repeat(Math.floor(bytes / pem.length));
const extension = (id: string, value: Buffer) => sequence(oid(id), boolean(true), octetString(value));
const subtree = (at: number) => sequence(tlv(0x82, Buffer.from(`a${at}.example`)));
const nameConstraints = (count: number) =>
  extension('2.5.29.30', sequence(tlv(0xa0, Buffer.concat(Array.from({ length: count }, (_, at) => subtree(at))))));
const policies = (count: number) =>
  extension('2.5.29.32', sequence(...Array.from({ length: count }, (_, at) => sequence(oid(`1.2.${at}`)))));
const mappings = (count: number) =>
  extension(
    '2.5.29.33',
    sequence(...Array.from({ length: count }, (_, at) => sequence(oid(`1.2.${at}`), oid(`1.2.${at + 1}`)))),
  );
const required = extension('2.5.29.36', sequence(tlv(0x80, Buffer.of(0))));

export interface Files {
  readonly crt: string;
  readonly roots?: string;
  readonly key?: KeyObject | string;
}

const rsa4096 = generateKeyPairSync('rsa', { modulusLength: 4096 }).privateKey;

export const COSTLY_FILES: Readonly<Record<string, () => Files>> = {
  'P-521 certificates of one empty name, each signed by another key': () => ({
    crt: many(120, (at) => ca(at % 2 === 0 ? { by: OTHER } : { key: OTHER, by: ONE })),
    roots: many(200, () => ca({ key: OTHER, by: ONE })),
  }),
  'P-521 certificates that sign themselves, of one name': () => ({
    crt: many(45, () => ca({ subject: 'same' })),
    roots: many(900, () => ca({ subject: 'same', key: OTHER })),
  }),
  'two CAs that certified each other again and again': () => ({
    crt: many(45, (at) =>
      at % 2 === 0
        ? ca({ subject: 'one', issuer: 'two', by: OTHER })
        : ca({ subject: 'two', issuer: 'one', key: OTHER, by: ONE }),
    ),
    roots: many(400, () => ca({ subject: 'one', issuer: 'elsewhere', by: OTHER })),
  }),
  'a clique of P-256 CAs': () => ({
    crt: many(48, (at) => ca({ subject: `c${at % 7}`, issuer: `c${Math.floor(at / 7)}`, key: P256 })),
    key: P256,
  }),
  'a mebibyte of certificates that have nothing to do with it': () => ({
    crt: ca({ subject: 'below', issuer: 'top', key: P256, by: OTHER }),
    roots: upTo(
      MEBIBYTE,
      many(500, (at) => ca({ subject: `root ${at}`, key: P256 })),
    ),
    key: P256,
  }),
  'a mebibyte of namesakes of the root': () => ({
    crt: ca({ subject: 'below', issuer: 'top', key: P256, by: P256 }),
    roots: many(900, () => ca({ subject: 'top', key: ONE, by: OTHER })),
    key: P256,
  }),
  'a mebibyte without a line end': () => ({ crt: ca(), roots: 'A'.repeat(MEBIBYTE) }),
  'a mebibyte of begins': () => ({ crt: ca(), roots: upTo(MEBIBYTE, '-----BEGIN CERTIFICATE-----\n') }),
  'a mebibyte for a key': () => ({ crt: ca(), key: upTo(MEBIBYTE, '-----BEGIN PRIVATE KEY-----\n') }),
  'name constraints by the thousand': () => ({
    crt: many(8, (at) => ca({ subject: `n${at}`, issuer: `n${at + 1}`, key: P256, more: [nameConstraints(500)] })),
    roots: ca({ subject: 'n8', key: P256, more: [nameConstraints(900)] }),
    key: P256,
  }),
  'policies by the thousand, mapped at each step': () => ({
    crt: many(8, (at) =>
      ca({
        subject: `p${at}`,
        issuer: `p${at + 1}`,
        key: P256,
        more: [policies(400), mappings(400), ...(at === 7 ? [required] : [])],
      }),
    ),
    roots: ca({ subject: 'p8', key: P256 }),
    key: P256,
  }),
  'an RSA key of 4096 bits': () => ({ crt: ca({ subject: 'rsa', key: rsa4096 }), key: rsa4096 }),
  'names of 20 kB': () => ({
    crt: many(4, (at) =>
      ca({ subject: `${at}`.padEnd(15_000, 'x'), issuer: `${at + 1}`.padEnd(15_000, 'x'), key: P256 }),
    ),
    key: P256,
  }),
};

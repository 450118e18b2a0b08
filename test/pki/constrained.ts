import { type CertificateView, parseCertificate } from '../../src/pki/certificate.ts';
import { boolean, ia5Bytes, implicit, integer, octetString, oid, sequence, tlv } from '../../src/pki/der.ts';
import {
  authorityKeyIdExtension,
  caBasicConstraints,
  keyIdOf,
  LEAF_BASIC_CONSTRAINTS,
  nameExtensions,
  subjectKeyIdExtension,
  usageExtensions,
} from '../../src/pki/extensions.ts';
import { writeCertificate } from '../../src/pki/issue.ts';
import { generateKey, type PrivateKey, publicKeyDer } from '../../src/pki/keys.ts';
import { encodeName, type Subject } from '../../src/pki/name.ts';
import { addressBytes, type Names, NO_NAMES } from '../../src/pki/san.ts';
import { hoursFromNow, P256, serial } from './make.ts';

/** Certificates whose CAs constrain what is below them, for tests. Each place in a path has a key of its own. */
const keys = await Promise.all(Array.from({ length: 6 }, () => generateKey(P256)));

function keyAt(index: number): PrivateKey {
  const key = keys[index];
  if (key === undefined) throw new Error(`a path of more than ${keys.length} certificates`);
  return key;
}

export function extension(dotted: string, value: Uint8Array, critical = false): Buffer {
  return sequence(oid(dotted), ...(critical ? [boolean(true)] : []), octetString(value));
}

/** A GeneralName as it stands in a subtree: `DNS:zoo.example`, `IP:10.0.0.0/255.0.0.0`, `DirName:` with a Name in hex. */
export function generalName(text: string): Buffer {
  const at = text.indexOf(':');
  const [kind, value] = [text.slice(0, at), text.slice(at + 1)];
  switch (kind) {
    case 'email':
      return implicit(1, ia5Bytes(value));
    case 'DNS':
      return implicit(2, ia5Bytes(value));
    case 'URI':
      return implicit(6, ia5Bytes(value));
    case 'IP':
      return implicit(7, Buffer.concat(value.split('/').map(addressBytes)));
    case 'DirName':
      return tlv(0xa4, Buffer.from(value, 'hex'));
    case 'RID':
      return implicit(8, Buffer.from(value, 'hex'));
    default:
      throw new Error(`no kind of name: ${text}`);
  }
}

export function dirName(subject: Subject): string {
  return `DirName:${encodeName(subject).toString('hex')}`;
}

export interface Subtrees {
  readonly permitted?: readonly string[] | undefined;
  readonly excluded?: readonly string[] | undefined;
  /** Written into each subtree after the name, such as a maximum. */
  readonly distance?: Buffer;
}

export function nameConstraints({ permitted, excluded, distance }: Subtrees, critical = true): Buffer {
  const list = (tag: number, texts: readonly string[] | undefined) =>
    texts === undefined
      ? []
      : [tlv(tag, ...texts.map((text) => sequence(generalName(text), ...(distance ? [distance] : []))))];
  return extension('2.5.29.30', sequence(...list(0xa0, permitted), ...list(0xa1, excluded)), critical);
}

export function policies(list: readonly string[], critical = false): Buffer {
  return extension('2.5.29.32', sequence(...list.map((policy) => sequence(oid(policy)))), critical);
}

export function policyMappings(pairs: readonly (readonly [string, string])[], critical = true): Buffer {
  return extension('2.5.29.33', sequence(...pairs.map(([from, to]) => sequence(oid(from), oid(to)))), critical);
}

export function policyConstraints(explicit: number | undefined, mapping: number | undefined): Buffer {
  const field = (number: number, value: number | undefined) =>
    value === undefined ? [] : [implicit(number, Buffer.of(value))];
  return extension('2.5.29.36', sequence(...field(0, explicit), ...field(1, mapping)), true);
}

export function inhibitAnyPolicy(skip: number): Buffer {
  return extension('2.5.29.54', integer(skip), true);
}

export interface CaContent {
  readonly subject?: Subject | undefined;
  readonly usages?: readonly string[] | undefined;
  readonly names?: Names | undefined;
  readonly extensions?: readonly Buffer[] | undefined;
}

export interface LeafContent extends CaContent {
  readonly policies?: readonly string[] | undefined;
}

/** A path as verifiers get it, leaf first: CAs as described, the anchor last. Serial numbers are random. */
export function makePath(leaf: LeafContent, ...issuers: readonly CaContent[]): CertificateView[] {
  const subjectOf = (index: number) => encodeName(issuers[index]?.subject ?? { commonName: `CA_${index}` });
  const top = issuers.length - 1;
  // Places count from the leaf, which is at -1.
  const write = (place: number, subjectDer: Buffer, extensions: readonly Buffer[]) => {
    const issuer = Math.min(place + 1, top);
    const spki = publicKeyDer(keyAt(place + 1));
    const der = writeCertificate({
      notBefore: hoursFromNow(-1),
      notAfter: hoursFromNow(24),
      serialNumber: serial(),
      issuerDer: subjectOf(issuer),
      subjectDer,
      publicKeyDer: spki,
      extensions: [
        ...extensions,
        subjectKeyIdExtension(keyIdOf(spki)),
        authorityKeyIdExtension(keyIdOf(publicKeyDer(keyAt(issuer + 1)))),
      ],
      signingKey: keyAt(issuer + 1),
    });
    return parseCertificate(der);
  };
  const leafSubject = encodeName(leaf.subject ?? { commonName: 'the client' });
  return [
    write(-1, leafSubject, [
      LEAF_BASIC_CONSTRAINTS,
      ...usageExtensions(leaf.usages ?? ['digital signature', 'client auth']),
      ...nameExtensions(leaf.names ?? NO_NAMES, leafSubject.length === 2),
      ...(leaf.policies?.length ? [policies(leaf.policies)] : []),
      ...(leaf.extensions ?? []),
    ]),
    ...issuers.map((issuer, place) =>
      write(place, subjectOf(place), [
        caBasicConstraints(),
        ...usageExtensions(['cert sign', 'crl sign', ...(issuer.usages ?? [])]),
        ...nameExtensions(issuer.names ?? NO_NAMES, false),
        ...(issuer.extensions ?? []),
      ]),
    ),
  ];
}

import { boolean, integer, sequence, tlv } from '../../src/pki/asn1/write.ts';
import { type CertificateView, parseCertificate } from '../../src/pki/certificate.ts';
import {
  authorityKeyIdExtension,
  keyIdOf,
  LEAF_BASIC_CONSTRAINTS,
  nameExtensions,
  subjectKeyIdExtension,
  usageExtensions,
} from '../../src/pki/extensions.ts';
import { generateKey, publicKeyDer } from '../../src/pki/keys.ts';
import { encodeName } from '../../src/pki/name.ts';
import { NO_NAMES } from '../../src/pki/san.ts';
import { hoursFromNow, P256, serial } from './make.ts';
import { writeCertificate } from './write-certificate.ts';
import { extension } from './write-extensions.ts';

/** Chains with the forms that strict verifiers refuse. */

/** Of each place, in all chains. */
export const keys = { leaf: await generateKey(P256), int: await generateKey(P256), root: await generateKey(P256) };
export type Place = keyof typeof keys;

export interface Shape {
  readonly keyUsage: boolean;
  readonly critical: boolean;
  readonly pathLength: boolean;
  readonly subjectKeyId: boolean;
  readonly authorityKeyId: 'key' | 'issuer' | 'empty' | 'none';
  readonly names: 'none' | 'empty' | 'dns';
  readonly criticalNames: boolean;
  readonly subject: boolean;
}

/** What strict verifiers accept. */
const SOUND: Shape = {
  keyUsage: true,
  critical: true,
  pathLength: false,
  subjectKeyId: true,
  authorityKeyId: 'key',
  names: 'none',
  criticalNames: false,
  subject: true,
};
/** What differs from SOUND. */
export type Shapes = Partial<Record<Place, Partial<Shape>>>;

function nameOf(place: Place, shapes: Shapes): Buffer {
  return encodeName((shapes[place]?.subject ?? true) ? { commonName: place } : {});
}

function authorityOf(shape: Shape, issuer: Place, shapes: Shapes): Buffer[] {
  switch (shape.authorityKeyId) {
    case 'key':
      return [authorityKeyIdExtension(keyIdOf(publicKeyDer(keys[issuer])))];
    case 'issuer': {
      // The serial number of the issuer would have to match.
      const names = tlv(0xa1, tlv(0xa4, nameOf(issuer === 'int' ? 'root' : issuer, shapes)));
      return [extension('2.5.29.35', sequence(names))];
    }
    case 'empty':
      return [extension('2.5.29.35', sequence())];
    case 'none':
      return [];
  }
}

function namesOf({ names, criticalNames }: Shape): Buffer[] {
  if (names === 'none') return [];
  if (names === 'empty') return [extension('2.5.29.17', sequence(), criticalNames)];
  return nameExtensions({ ...NO_NAMES, dnsNames: ['a.example'] }, criticalNames);
}

function extensionsOf(place: Place, issuer: Place, shapes: Shapes): Buffer[] {
  const shape = { ...SOUND, ...shapes[place] };
  const isLeaf = place === 'leaf';
  const limits = [boolean(true), ...(shape.pathLength ? [integer(3)] : [])];
  const keyId = keyIdOf(publicKeyDer(keys[place]));
  return [
    isLeaf ? LEAF_BASIC_CONSTRAINTS : extension('2.5.29.19', sequence(...limits), shape.critical),
    ...usageExtensions([
      ...(shape.keyUsage && !isLeaf ? ['cert sign', 'crl sign'] : []),
      ...(isLeaf ? ['client auth'] : []),
    ]),
    ...(shape.subjectKeyId ? [subjectKeyIdExtension(keyId)] : []),
    ...authorityOf(shape, issuer, shapes),
    ...namesOf(shape),
  ];
}

function write(place: Place, issuer: Place, shapes: Shapes): CertificateView {
  const der = writeCertificate({
    notBefore: hoursFromNow(-1),
    notAfter: hoursFromNow(24),
    serialNumber: serial(),
    issuerDer: nameOf(issuer, shapes),
    subjectDer: nameOf(place, shapes),
    publicKeyDer: publicKeyDer(keys[place]),
    extensions: extensionsOf(place, issuer, shapes),
    signingKey: keys[issuer],
  });
  return parseCertificate(der);
}

/** A leaf for clients, an intermediate and a root, in the given forms. */
export function chainOf(shapes: Shapes): CertificateView[] {
  return [write('leaf', 'int', shapes), write('int', 'root', shapes), write('root', 'root', shapes)];
}

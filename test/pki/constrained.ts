import { type CertificateView, parseCertificate } from '../../src/pki/certificate.ts';
import {
  authorityKeyIdExtension,
  caBasicConstraints,
  keyIdOf,
  LEAF_BASIC_CONSTRAINTS,
  nameExtensions,
  policyExtensions,
  subjectKeyIdExtension,
  usageExtensions,
} from '../../src/pki/extensions.ts';
import { generateKey, type PrivateKey, publicKeyDer } from '../../src/pki/keys.ts';
import { encodeName, type Subject } from '../../src/pki/name.ts';
import { type Names, NO_NAMES } from '../../src/pki/san.ts';
import { hoursFromNow, P256, serial } from './make.ts';
import { writeCertificate } from './write-certificate.ts';
import { nameConstraints, type Subtrees } from './write-extensions.ts';

/** Certificates whose CAs constrain what is below them, for tests. Each place in a path has a key of its own. */
const keys = await Promise.all(Array.from({ length: 6 }, () => generateKey(P256)));

function keyAt(index: number): PrivateKey {
  const key = keys[index];
  if (key === undefined) throw new Error(`a path of more than ${keys.length} certificates`);
  return key;
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

/** A CA named Zoo with name constraints. */
export function below(subtrees: Subtrees, critical = true): CaContent {
  return { subject: { commonName: 'Zoo' }, extensions: [nameConstraints(subtrees, critical)] };
}

export function named(names: Partial<Names>, subject?: Subject): LeafContent {
  return { names: { ...NO_NAMES, ...names }, subject };
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
      ...policyExtensions(leaf.policies ?? []),
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

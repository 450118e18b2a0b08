import type { KeySpec } from '../../../src/pki/keys.ts';
import type { Subject } from '../../../src/pki/name.ts';
import { type Names, NO_NAMES } from '../../../src/pki/san.ts';
import { NOW, P256 } from '../make.ts';
import type { Subtrees } from '../write-extensions.ts';

/** What a client certificate of the CA is asked to say. */
export interface Identity {
  readonly subject: Subject;
  readonly names: Names;
  /** cert-manager's names, see `Usage`. */
  readonly usages: readonly string[];
}

/** A name with a key: a CA, however many certificates it has. */
export interface Entity {
  commonName: string;
  organization: string;
  keySpec: KeySpec;
}

/** How a certificate spells a name: verifiers disagree about which of these are equal. */
export type Spelling = 'utf8' | 'printable' | 'upper case';

export interface NameConstraints extends Subtrees {
  readonly critical: boolean;
}

export interface CertificatePlan {
  /** Indexes of entities. */
  subject: number;
  issuer: number;
  subjectSpelling: Spelling;
  issuerSpelling: Spelling;
  /** From the moment of judgement. */
  notBeforeHours: number;
  notAfterHours: number;
  basicConstraints: 'critical' | 'not critical' | 'absent' | 'not a CA';
  pathLength?: number;
  keyUsage: 'critical' | 'not critical' | 'absent' | 'without cert sign' | 'of a leaf';
  extendedUsages: readonly string[];
  subjectKeyId: boolean;
  authorityKeyId:
    | 'absent'
    | 'keyid'
    | 'keyid, issuer and serial'
    | 'issuer and serial'
    | 'wrong keyid'
    | 'wrong serial';
  nameConstraints?: NameConstraints;
  policies: readonly string[];
  policyMappings: readonly (readonly [issuerDomain: string, subjectDomain: string])[];
  requireExplicitPolicy?: number;
  inhibitPolicyMapping?: number;
  inhibitAnyPolicy?: number;
  criticalExtension?: 'unknown' | 'CRL distribution points';
  sha1: boolean;
}

/** Everything that is decided about a PKI before keys and signatures are made. Features change it in place. */
export interface Plan {
  at: Date;
  identity: Identity;
  /** Entity 0 is the root, `signer` the CA whose key is in the Secret; all between them make up the chain. */
  entities: Entity[];
  signer: number;
  /** The first `signer + 1` are the chain, from the root down; others follow. */
  certificates: CertificatePlan[];
  /** Indexes of certificates, in the order of the file. */
  tlsCrt: number[];
  caCrt: number[];
}

/** A self-signed root whose key is in the Secret: what every feature builds on. */
export function basePlan(): Plan {
  return {
    at: NOW,
    identity: {
      subject: { commonName: 'client' },
      names: NO_NAMES,
      usages: ['digital signature', 'client auth'],
    },
    entities: [newEntity('Root')],
    signer: 0,
    certificates: [newCertificate(0, 0)],
    tlsCrt: [0],
    caCrt: [0],
  };
}

export function newEntity(commonName: string): Entity {
  return { commonName, organization: 'Certwheel', keySpec: P256 };
}

/** A flawless CA certificate. */
export function newCertificate(subject: number, issuer: number): CertificatePlan {
  const selfSigned = subject === issuer;
  return {
    subject,
    issuer,
    subjectSpelling: 'utf8',
    issuerSpelling: 'utf8',
    notBeforeHours: -1000 + subject,
    notAfterHours: selfSigned ? 80_000 : 40_000 - subject,
    basicConstraints: 'critical',
    keyUsage: 'critical',
    extendedUsages: [],
    subjectKeyId: true,
    authorityKeyId: selfSigned ? 'absent' : 'keyid',
    policies: [],
    policyMappings: [],
    sha1: false,
  };
}

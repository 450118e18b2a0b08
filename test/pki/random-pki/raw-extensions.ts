import {
  boolean,
  explicit,
  ia5Bytes,
  implicit,
  integer,
  octetString,
  sequence,
  tlv,
} from '../../../src/pki/asn1/write.ts';
import { policyExtensions } from '../../../src/pki/extensions.ts';
import { encodeUsages } from '../../../src/pki/usages.ts';
import {
  extension,
  inhibitAnyPolicy,
  nameConstraints,
  policyConstraints,
  policyMappings,
} from '../write-extensions.ts';
import type { CertificatePlan } from './plan.ts';

/** The extensions of a planned certificate, in forms that src/pki doesn't write (DER). */

export function basicConstraints({ basicConstraints: form, pathLength }: CertificatePlan): Buffer[] {
  if (form === 'absent') return [];
  const isCA = form !== 'not a CA';
  // RFC 5280 section 4.2.1.9: a path length belongs to CAs alone.
  const value = isCA ? [boolean(true), ...(pathLength === undefined ? [] : [integer(pathLength)])] : [];
  return [extension('2.5.29.19', sequence(...value), form !== 'not critical')];
}

const KEY_USAGES = {
  critical: ['cert sign', 'crl sign'],
  'not critical': ['cert sign', 'crl sign'],
  'without cert sign': ['digital signature', 'crl sign'],
  'of a leaf': ['digital signature'],
} as const;

export function usages({ keyUsage: form, extendedUsages }: CertificatePlan): Buffer[] {
  const { keyUsage } = encodeUsages(form === 'absent' ? [] : KEY_USAGES[form]);
  const { extendedKeyUsage } = encodeUsages(extendedUsages);
  return [
    ...(keyUsage ? [extension('2.5.29.15', keyUsage, form !== 'not critical')] : []),
    ...(extendedKeyUsage ? [extension('2.5.29.37', extendedKeyUsage)] : []),
  ];
}

/** What the certificate of an issuer says of itself. */
export interface IssuerIds {
  readonly keyId: Buffer;
  /** DER of its issuer's name. */
  readonly issuerDer: Buffer;
  readonly serialNumber: Buffer;
}

export function authorityKeyId({ authorityKeyId: form }: CertificatePlan, issuer: IssuerIds): Buffer[] {
  if (form === 'absent') return [];
  const keyId = implicit(0, form === 'wrong keyid' ? Buffer.alloc(20, 7) : issuer.keyId);
  const serial = form === 'wrong serial' ? Buffer.from('4242', 'hex') : issuer.serialNumber;
  const issuerAndSerial = [tlv(0xa1, explicit(4, issuer.issuerDer)), implicit(2, serial)];
  const parts = {
    keyid: [keyId],
    'wrong keyid': [keyId],
    'keyid, issuer and serial': [keyId, ...issuerAndSerial],
    'issuer and serial': issuerAndSerial,
    'wrong serial': [keyId, ...issuerAndSerial],
  }[form];
  return [extension('2.5.29.35', sequence(...parts))];
}

/** What the CA asks of the names and policies below it. */
export function constraints(plan: CertificatePlan): Buffer[] {
  const { requireExplicitPolicy: required, inhibitPolicyMapping: unmapped, inhibitAnyPolicy: noAny } = plan;
  const names = plan.nameConstraints;
  return [
    ...(names === undefined ? [] : [nameConstraints(names, names.critical)]),
    ...policyExtensions(plan.policies),
    ...(plan.policyMappings.length > 0 ? [policyMappings(plan.policyMappings)] : []),
    ...(required === undefined && unmapped === undefined ? [] : [policyConstraints(required, unmapped)]),
    ...(noAny === undefined ? [] : [inhibitAnyPolicy(noAny)]),
  ];
}

export function criticalExtension({ criticalExtension: kind }: CertificatePlan): Buffer[] {
  if (kind === undefined) return [];
  if (kind === 'unknown') return [extension('1.3.6.1.4.1.99999.3', octetString(Buffer.from('?')), true)];
  // DistributionPoint { [0] DistributionPointName { [0] fullName { [6] URI } } }
  const uri = implicit(6, ia5Bytes('http://crl.example/ca.crl'));
  return [extension('2.5.29.31', sequence(sequence(tlv(0xa0, tlv(0xa0, uri)))), true)];
}

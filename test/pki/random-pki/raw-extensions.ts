import {
  boolean,
  explicit,
  ia5Bytes,
  implicit,
  integer,
  octetString,
  oid,
  sequence,
  tlv,
} from '../../../src/pki/der.ts';
import { encodeName } from '../../../src/pki/name.ts';
import { encodeUsages } from '../../../src/pki/usages.ts';
import type { CertificatePlan, GeneralName, NameConstraints } from './plan.ts';

/** Extensions in forms that src/pki doesn't write. Each function returns a whole Extension (DER). */

export function rawExtension(dotted: string, critical: boolean, value: Uint8Array): Buffer {
  return sequence(oid(dotted), ...(critical ? [boolean(true)] : []), octetString(value));
}

export function basicConstraints({ basicConstraints: form, pathLength }: CertificatePlan): Buffer[] {
  if (form === 'absent') return [];
  const isCA = form !== 'not a CA';
  // RFC 5280 section 4.2.1.9: a path length belongs to CAs alone.
  const value = isCA ? [boolean(true), ...(pathLength === undefined ? [] : [integer(pathLength)])] : [];
  return [rawExtension('2.5.29.19', form !== 'not critical', sequence(...value))];
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
    ...(keyUsage ? [rawExtension('2.5.29.15', form !== 'not critical', keyUsage)] : []),
    ...(extendedKeyUsage ? [rawExtension('2.5.29.37', false, extendedKeyUsage)] : []),
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
  return [rawExtension('2.5.29.35', false, sequence(...parts))];
}

export function nameConstraints(constraints: NameConstraints | undefined): Buffer[] {
  if (constraints === undefined) return [];
  const subtrees = (tag: number, names: readonly GeneralName[]) =>
    names.length === 0 ? [] : [tlv(tag, ...names.map((name) => sequence(generalName(name))))];
  const value = sequence(...subtrees(0xa0, constraints.permitted), ...subtrees(0xa1, constraints.excluded));
  return [rawExtension('2.5.29.30', constraints.critical, value)];
}

function generalName(name: GeneralName): Buffer {
  switch (name.kind) {
    case 'email':
      return implicit(1, ia5Bytes(name.value));
    case 'dns':
      return implicit(2, ia5Bytes(name.value));
    case 'dirName':
      return explicit(4, encodeName(name.value));
    case 'uri':
      return implicit(6, ia5Bytes(name.value));
    case 'ip':
      return implicit(7, Buffer.from(name.value, 'hex'));
    case 'registeredID':
      return implicit(8, oid(name.value).subarray(2));
  }
}

export function certificatePolicies(policies: readonly string[]): Buffer[] {
  if (policies.length === 0) return [];
  return [rawExtension('2.5.29.32', false, sequence(...policies.map((policy) => sequence(oid(policy)))))];
}

export function policyExtensions(plan: CertificatePlan): Buffer[] {
  const { policyMappings, requireExplicitPolicy, inhibitPolicyMapping, inhibitAnyPolicy } = plan;
  const mappings = policyMappings.map(([from, to]) => sequence(oid(from), oid(to)));
  const constraints = [requireExplicitPolicy, inhibitPolicyMapping].flatMap((skip, tag) =>
    skip === undefined ? [] : [implicit(tag, Buffer.of(skip))],
  );
  return [
    ...certificatePolicies(plan.policies),
    ...(mappings.length > 0 ? [rawExtension('2.5.29.33', true, sequence(...mappings))] : []),
    ...(constraints.length > 0 ? [rawExtension('2.5.29.36', true, sequence(...constraints))] : []),
    ...(inhibitAnyPolicy === undefined ? [] : [rawExtension('2.5.29.54', true, integer(inhibitAnyPolicy))]),
  ];
}

export function criticalExtension({ criticalExtension: kind }: CertificatePlan): Buffer[] {
  if (kind === undefined) return [];
  if (kind === 'unknown') return [rawExtension('1.3.6.1.4.1.99999.3', true, octetString(Buffer.from('?')))];
  // DistributionPoint { [0] DistributionPointName { [0] fullName { [6] URI } } }
  const uri = implicit(6, ia5Bytes('http://crl.example/ca.crl'));
  return [rawExtension('2.5.29.31', true, sequence(sequence(tlv(0xa0, tlv(0xa0, uri)))))];
}

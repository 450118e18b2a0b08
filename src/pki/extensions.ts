import { hash } from 'node:crypto';
import {
  children,
  type Element,
  expectTag,
  readBoolean,
  readBytesOfBits,
  readElement,
  readOid,
  readSmallInteger,
} from './asn1/read.ts';
import { boolean, implicit, integer, octetString, oid, sequence, TAG } from './asn1/write.ts';
import {
  type PolicyConstraints,
  type PolicyMapping,
  readInhibitAnyPolicy,
  readPolicies,
  readPolicyConstraints,
  readPolicyMappings,
} from './constraints/policies-read.ts';
import { type NameConstraints, readNameConstraints } from './constraints/subtrees.ts';
import { decodeNames, encodeNames, NAME_FIELDS, type Names, NO_NAMES } from './san.ts';
import { decodeExtendedKeyUsage, decodeKeyUsage, encodeUsages } from './usages.ts';

const OID = {
  subjectKeyId: '2.5.29.14',
  keyUsage: '2.5.29.15',
  subjectAltName: '2.5.29.17',
  basicConstraints: '2.5.29.19',
  nameConstraints: '2.5.29.30',
  certificatePolicies: '2.5.29.32',
  policyMappings: '2.5.29.33',
  authorityKeyId: '2.5.29.35',
  policyConstraints: '2.5.29.36',
  extendedKeyUsage: '2.5.29.37',
  inhibitAnyPolicy: '2.5.29.54',
} as const;

export function extension(dotted: string, critical: boolean, value: Uint8Array): Buffer {
  // critical is DEFAULT FALSE, and DER omits defaults (X.690 section 11.5).
  return critical ? sequence(oid(dotted), TRUE, octetString(value)) : sequence(oid(dotted), octetString(value));
}

const TRUE = boolean(true);

/** cA is DEFAULT FALSE, so that of a leaf is an empty SEQUENCE. Critical in both, as RFC 5280 section 4.2.1.9 wants for CAs. */
export const LEAF_BASIC_CONSTRAINTS = extension(OID.basicConstraints, true, sequence());

/** `pathLength` counts the CAs that may follow below; undefined sets no limit. */
export function caBasicConstraints(pathLength?: number): Buffer {
  return extension(
    OID.basicConstraints,
    true,
    pathLength === undefined ? sequence(TRUE) : sequence(TRUE, integer(pathLength)),
  );
}

/** Key usage (critical) and extended key usage (not critical, so that verifiers which ignore it still work). */
export function usageExtensions(usages: readonly string[]): Buffer[] {
  const { keyUsage, extendedKeyUsage } = encodeUsages(usages);
  return [
    ...(keyUsage ? [extension(OID.keyUsage, true, keyUsage)] : []),
    ...(extendedKeyUsage ? [extension(OID.extendedKeyUsage, false, extendedKeyUsage)] : []),
  ];
}

/** Critical if the subject is empty, since then nothing else names the holder (RFC 5280 section 4.2.1.6). */
export function nameExtensions(names: Names, subjectIsEmpty: boolean): Buffer[] {
  const value = encodeNames(names);
  return value === undefined ? [] : [extension(OID.subjectAltName, subjectIsEmpty, value)];
}

export function subjectKeyIdExtension(keyId: Uint8Array): Buffer {
  return extension(OID.subjectKeyId, false, octetString(keyId));
}

export function authorityKeyIdExtension(keyId: Uint8Array): Buffer {
  return extension(OID.authorityKeyId, false, sequence(implicit(0, keyId)));
}

/** Policies without qualifiers, as RFC 5280 section 4.2.1.4 recommends; not critical. */
export function policyExtensions(policies: readonly string[]): Buffer[] {
  if (policies.length === 0) return [];
  return [extension(OID.certificatePolicies, false, sequence(...policies.map((policy) => sequence(oid(policy)))))];
}

/** RFC 7093 section 2, method 1: the leftmost 160 bits of the SHA-256 of the key's bits, without their headers. */
export function keyIdOf(spki: Buffer): Buffer {
  const [, bits] = children(readElement(spki, TAG.sequence, 'public key'));
  return hash('sha256', readBytesOfBits(bits, 'public key bits'), 'buffer').subarray(0, 20);
}

export interface Extensions {
  readonly names: Names;
  /** Kinds of names that Names has no place for: other subject alternative names, an account of Active Directory. */
  readonly foreignNames: readonly string[];
  /** Whether the names are critical, and whether they are there but hold none. */
  readonly criticalNames: boolean;
  readonly emptyNames: boolean;
  /** Key usages, then extended key usages. */
  readonly usages: readonly string[];
  readonly isCA: boolean;
  readonly pathLength: number | undefined;
  /** Whether the key may sign certificates; undefined if no key usage is given, which allows all. */
  readonly certSign: boolean | undefined;
  /** Lower-case hex. */
  readonly subjectKeyId: string | undefined;
  readonly authorityKeyId: string | undefined;
  /** The Name (DER) of the issuer of the issuer, and that one's serial number in the form of CertificateView's. */
  readonly authorityCertIssuer: Buffer | undefined;
  readonly authorityCertSerial: string | undefined;
  readonly basicConstraintsCritical: boolean;
  /** Whether the subject's or the authority's key id is critical, which RFC 5280 forbids. */
  readonly criticalKeyIds: boolean;
  readonly nameConstraints: NameConstraints | undefined;
  /** Dotted decimals. */
  readonly policies: readonly string[] | undefined;
  /** Critical policies with qualifiers: Java refuses them by default. */
  readonly criticalPolicyQualifiers: boolean;
  readonly policyMappings: readonly PolicyMapping[] | undefined;
  readonly policyConstraints: PolicyConstraints | undefined;
  readonly inhibitAnyPolicy: number | undefined;
  /** Critical extensions that aren't understood here: a verifier must refuse (RFC 5280 section 4.2). */
  readonly unknownCritical: readonly string[];
}

/** Domain controllers identify the holder by this extension, before all other names (szOID_NTDS_CA_SECURITY_EXT). */
const WINDOWS_SID = '1.3.6.1.4.1.311.25.2';

/** Reads the SEQUENCE OF Extension. Throws an Error if anything in it is malformed or comes twice. */
export function readExtensions(list: Element | undefined): Extensions {
  const values = new Map<string, Buffer>();
  const criticals = new Set<string>();
  for (const item of list ? children(expectTag(list, TAG.sequence, 'extensions')) : []) {
    const { dotted, critical, value } = readExtension(item);
    // RFC 5280 section 4.2: no extension twice, or two readers could each believe another one.
    if (values.has(dotted)) throw new Error(`extension ${dotted} twice`);
    values.set(dotted, value);
    if (critical) criticals.add(dotted);
  }
  const read = <T>(dotted: string, decode: (value: Buffer) => T): T | undefined => {
    const value = values.get(dotted);
    return value && decode(value);
  };
  const names = read(OID.subjectAltName, decodeNames);
  const keyUsage = read(OID.keyUsage, decodeKeyUsage);
  const constraints = read(OID.basicConstraints, readBasicConstraints);
  const authority = read(OID.authorityKeyId, readAuthorityKeyId);
  const policies = read(OID.certificatePolicies, readPolicies);
  return {
    names: names?.names ?? NO_NAMES,
    foreignNames: [...(names?.foreign ?? []), ...(values.has(WINDOWS_SID) ? ['Windows security identifier'] : [])],
    criticalNames: criticals.has(OID.subjectAltName),
    emptyNames:
      names !== undefined &&
      names.foreign.length === 0 &&
      NAME_FIELDS.every((field) => names.names[field].length === 0),
    usages: [...(keyUsage ?? []), ...(read(OID.extendedKeyUsage, readPurposes) ?? [])],
    isCA: constraints?.isCA ?? false,
    pathLength: constraints?.pathLength,
    certSign: keyUsage?.includes('cert sign'),
    subjectKeyId: read(OID.subjectKeyId, readSubjectKeyId),
    authorityKeyId: authority?.keyId,
    authorityCertIssuer: authority?.issuer,
    authorityCertSerial: authority?.serial,
    basicConstraintsCritical: criticals.has(OID.basicConstraints),
    criticalKeyIds: criticals.has(OID.subjectKeyId) || criticals.has(OID.authorityKeyId),
    nameConstraints: read(OID.nameConstraints, (der) => readNameConstraints(der, criticals.has(OID.nameConstraints))),
    policies: policies?.list,
    criticalPolicyQualifiers: policies?.qualified === true && criticals.has(OID.certificatePolicies),
    policyMappings: read(OID.policyMappings, readPolicyMappings),
    policyConstraints: read(OID.policyConstraints, readPolicyConstraints),
    inhibitAnyPolicy: read(OID.inhibitAnyPolicy, readInhibitAnyPolicy),
    unknownCritical: [...criticals].filter((dotted) => !KNOWN.has(dotted)),
  };
}

// Critical CRL distribution points (2.5.29.31) stay unknown: OpenSSL and Go accept them, and Java's CertPathValidator does so
// only in a trust anchor, of which it reads no extension; below it says "unrecognized critical extension(s)".
const KNOWN: ReadonlySet<string> = new Set(Object.values(OID));

function readExtension(item: Element): { dotted: string; critical: boolean; value: Buffer } {
  const [id, second, third, ...more] = children(expectTag(item, TAG.sequence, 'extension'));
  const dotted = readOid(id, 'extension id');
  const critical = second?.tag === TAG.boolean ? second : undefined;
  const value = critical ? third : second;
  if (more.length > 0 || (!critical && third !== undefined)) throw new Error(`extension ${dotted} is malformed`);
  return {
    dotted,
    critical: critical !== undefined && readBoolean(critical),
    value: expectTag(value, TAG.octetString, `extension ${dotted}`).content,
  };
}

// An empty list allows nothing, and would read as if there were no list.
function readPurposes(der: Buffer): string[] {
  const purposes = decodeExtendedKeyUsage(der);
  if (purposes.length === 0) throw new Error('extended key usage without a purpose');
  return purposes;
}

function readBasicConstraints(der: Buffer): { isCA: boolean; pathLength: number | undefined } {
  const fields = children(readElement(der, TAG.sequence, 'basic constraints'));
  // Many CAs write the default (cA FALSE) that DER would omit.
  const isCA = fields[0]?.tag === TAG.boolean && readBoolean(fields[0]);
  const rest = fields[0]?.tag === TAG.boolean ? fields.slice(1) : fields;
  if (rest.length > 1) throw new Error('basic constraints are malformed');
  return { isCA, pathLength: rest[0] && readSmallInteger(rest[0], 'path length') };
}

function readSubjectKeyId(der: Buffer): string {
  return readElement(der, TAG.octetString, 'subject key id').content.toString('hex');
}

interface AuthorityKeyId {
  readonly keyId: string | undefined;
  readonly issuer: Buffer | undefined;
  readonly serial: string | undefined;
}

function readAuthorityKeyId(der: Buffer): AuthorityKeyId {
  const fields = children(readElement(der, TAG.sequence, 'authority key id'));
  const field = (tag: number) => fields.find((each) => each.tag === tag);
  const names = field(0xa1);
  const serial = field(0x82)?.content;
  return {
    keyId: field(0x80)?.content.toString('hex'),
    issuer: names && children(names).find(({ tag }) => tag === DIRECTORY_NAME)?.content,
    serial: serial?.subarray(serial[0] === 0 && serial.length > 1 ? 1 : 0).toString('hex'),
  };
}

const DIRECTORY_NAME = 0xa4;

import type { CertificateView } from '../../../src/pki/certificate.ts';
import type { Names } from '../../../src/pki/san.ts';
import { hostAddress } from './address.ts';
import type { ReadAttribute, Reading } from './reading.ts';

/** The fields of Certwheel's view as plain values. */
export function viewFields(view: CertificateView): Readonly<Record<string, unknown>> {
  const keyUsages = view.usages.filter((usage) => KEY_USAGES.includes(usage));
  return {
    serialNumber: view.serialNumber,
    signatureAlgorithm: view.signatureAlgorithm,
    subject: sorted(view.subject),
    foreignAttributes: view.foreignAttributes.map((text) => text.split('=')[0]),
    notBefore: view.notBefore.getTime() / 1000,
    notAfter: view.notAfter.getTime() / 1000,
    key: keyText(view),
    publicKeyPin: view.publicKeyPin,
    names: hexNames(view.names),
    otherNames: view.foreignNames.filter((name) => name !== 'Windows security identifier').length,
    keyUsages,
    hasKeyUsage: view.certSign !== undefined,
    purposes: view.usages.filter((usage) => !KEY_USAGES.includes(usage)),
    isCA: view.isCA,
    pathLength: view.pathLength ?? null,
    subjectKeyId: view.subjectKeyId ?? null,
    authorityKeyId: view.authorityKeyId ?? null,
    criticalNames: view.criticalNames,
    basicConstraintsCritical: view.basicConstraintsCritical,
    criticalKeyIds: view.criticalKeyIds,
    unknownCritical: view.unknownCritical,
  };
}

/** What Certwheel has to read where the others read this. */
export function viewExpectation(reading: Reading): Readonly<Record<string, unknown>> {
  const critical = (oid: string) => reading.extensions.some(([each, isCritical]) => each === oid && isCritical);
  const { subject, foreign } = subjectOf(reading.subject);
  return {
    serialNumber: reading.serialNumber,
    signatureAlgorithm: SIGNATURES[reading.signatureAlgorithm] ?? reading.signatureAlgorithm,
    subject: sorted(subject),
    foreignAttributes: foreign,
    notBefore: reading.notBefore,
    notAfter: reading.notAfter,
    key: reading.key,
    publicKeyPin: Buffer.from(reading.spkiSHA256, 'hex').toString('base64'),
    names: {
      dnsNames: reading.dnsNames,
      uris: reading.uris,
      emailAddresses: reading.emailAddresses,
      ipAddresses: reading.ipAddresses.map(hostAddress),
    },
    otherNames: reading.otherNames?.length,
    keyUsages: (reading.keyUsage ?? []).map((bit) => KEY_USAGES[bit]),
    hasKeyUsage: reading.keyUsage !== null,
    purposes: (reading.extendedKeyUsage ?? []).map((oid) => PURPOSES[oid] ?? oid),
    isCA: reading.isCA === true,
    pathLength: reading.pathLength,
    subjectKeyId: reading.subjectKeyId,
    authorityKeyId: reading.authorityKeyId,
    criticalNames: critical('2.5.29.17'),
    basicConstraintsCritical: critical('2.5.29.19'),
    criticalKeyIds: critical('2.5.29.14') || critical('2.5.29.35'),
    unknownCritical: reading.extensions
      .filter(([oid, isCritical]) => isCritical && !KNOWN.has(oid))
      .map(([oid]) => oid),
  };
}

// Tables of their own: those of the product are what is under test.
const KEY_USAGES = [
  'digital signature',
  'content commitment',
  'key encipherment',
  'data encipherment',
  'key agreement',
  'cert sign',
  'crl sign',
  'encipher only',
  'decipher only',
];

const PURPOSES: Readonly<Record<string, string>> = {
  '2.5.29.37.0': 'any',
  '1.3.6.1.5.5.7.3.1': 'server auth',
  '1.3.6.1.5.5.7.3.2': 'client auth',
  '1.3.6.1.5.5.7.3.3': 'code signing',
  '1.3.6.1.5.5.7.3.4': 'email protection',
  '1.3.6.1.5.5.7.3.8': 'timestamping',
  '1.3.6.1.5.5.7.3.9': 'ocsp signing',
};

const SIGNATURES: Readonly<Record<string, string>> = {
  '1.3.101.112': 'Ed25519',
  '1.2.840.10045.4.3.2': 'ecdsa-with-SHA256',
  '1.2.840.10045.4.3.3': 'ecdsa-with-SHA384',
  '1.2.840.10045.4.3.4': 'ecdsa-with-SHA512',
  '1.2.840.113549.1.1.11': 'sha256WithRSAEncryption',
  '1.2.840.113549.1.1.12': 'sha384WithRSAEncryption',
  '1.2.840.113549.1.1.13': 'sha512WithRSAEncryption',
  '1.2.840.113549.1.1.10': 'RSASSA-PSS with sha256',
};

/** The extensions that Certwheel understands. */
const KNOWN: ReadonlySet<string> = new Set(
  [14, 15, 17, 19, 30, 32, 33, 35, 36, 37, 54].map((last) => `2.5.29.${last}`),
);

const ATTRIBUTES: Readonly<Record<string, readonly [field: string, short: string]>> = {
  '2.5.4.3': ['commonName', 'CN'],
  '2.5.4.5': ['serialNumber', 'serialNumber'],
  '2.5.4.6': ['countries', 'C'],
  '2.5.4.7': ['localities', 'L'],
  '2.5.4.8': ['provinces', 'ST'],
  '2.5.4.9': ['streetAddresses', 'STREET'],
  '2.5.4.10': ['organizations', 'O'],
  '2.5.4.11': ['organizationalUnits', 'OU'],
  '2.5.4.17': ['postalCodes', 'postalCode'],
};

function subjectOf(attributes: readonly ReadAttribute[]) {
  const subject: Record<string, string | string[]> = {};
  const foreign: string[] = [];
  for (const [oid, hex] of attributes) {
    const value = Buffer.from(hex, 'hex').toString('utf8');
    const [field, short] = ATTRIBUTES[oid] ?? [undefined, oid];
    const isSingle = field === 'commonName' || field === 'serialNumber';
    if (field === undefined || (isSingle && field in subject)) foreign.push(short);
    else if (isSingle) subject[field] = value;
    else subject[field] = [...((subject[field] as string[] | undefined) ?? []), value];
  }
  return { subject, foreign };
}

function sorted(subject: object): unknown {
  return Object.entries(subject).sort(([one], [other]) => (one < other ? -1 : 1));
}

function hexNames({ dnsNames, uris, emailAddresses, ipAddresses }: Names) {
  const hex = (list: readonly string[]) => list.map((text) => Buffer.from(text).toString('hex'));
  return { dnsNames: hex(dnsNames), uris: hex(uris), emailAddresses: hex(emailAddresses), ipAddresses };
}

function keyText({ keySpec }: CertificateView): string {
  if (keySpec === undefined) return 'unknown';
  if (keySpec.algorithm === 'ECDSA') return `ECDSA P-${keySpec.size}`;
  return keySpec.algorithm === 'RSA' ? `RSA ${keySpec.size}` : keySpec.algorithm;
}

import { children, readElement, readNamedBits, readOid } from './asn1/read.ts';
import { namedBits, oid, sequence, TAG } from './asn1/write.ts';
import type { KeySpec } from './keys.ts';

/** The key usages in the order of their bits (RFC 5280 section 4.2.1.3), in cert-manager's words. */
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
] as const;

/** The extended key usages (RFC 5280 section 4.2.1.12 and vendors), in cert-manager's words. */
const EXTENDED_KEY_USAGES = {
  any: '2.5.29.37.0',
  'server auth': '1.3.6.1.5.5.7.3.1',
  'client auth': '1.3.6.1.5.5.7.3.2',
  'code signing': '1.3.6.1.5.5.7.3.3',
  'email protection': '1.3.6.1.5.5.7.3.4',
  'ipsec end system': '1.3.6.1.5.5.7.3.5',
  'ipsec tunnel': '1.3.6.1.5.5.7.3.6',
  'ipsec user': '1.3.6.1.5.5.7.3.7',
  timestamping: '1.3.6.1.5.5.7.3.8',
  'ocsp signing': '1.3.6.1.5.5.7.3.9',
  'microsoft sgc': '1.3.6.1.4.1.311.10.3.3',
  'netscape sgc': '2.16.840.1.113730.4.1',
} as const;

const ALIASES = { signing: 'digital signature', 's/mime': 'email protection' } as const;

type KeyUsage = (typeof KEY_USAGES)[number];
type ExtendedKeyUsage = keyof typeof EXTENDED_KEY_USAGES;
/** cert-manager's 23 names. */
export type Usage = KeyUsage | ExtendedKeyUsage | keyof typeof ALIASES;

const extendedByOid = new Map<string, string>(
  Object.entries(EXTENDED_KEY_USAGES).map(([name, dotted]) => [dotted, name]),
);

/** `signing` and `s/mime` are second names of others. */
export function canonicalUsage(usage: string): string {
  return usage === 'signing' || usage === 's/mime' ? ALIASES[usage] : usage;
}

/** Without duplicates, in a fixed order: equal lists mean the same. */
export function canonicalUsages(usages: readonly string[]): string[] {
  return [...new Set(usages.map(canonicalUsage))].sort();
}

export function isKeyUsage(usage: string): usage is KeyUsage {
  return (KEY_USAGES as readonly string[]).includes(usage);
}

function isExtendedKeyUsage(usage: string): usage is ExtendedKeyUsage {
  return Object.hasOwn(EXTENDED_KEY_USAGES, usage);
}

/** Why a client's certificate with this key can't carry the usages, as a sentence; undefined if it can. */
export function usagesProblem(usages: readonly string[], keySpec: KeySpec): string | undefined {
  const asked = usages.map(canonicalUsage);
  for (const usage of asked) {
    if (!isKeyUsage(usage) && !isExtendedKeyUsage(usage))
      return `usages holds ${JSON.stringify(usage)}, which is unknown`;
    if (usage === 'cert sign' || usage === 'crl sign') return `usages holds "${usage}", which is for CAs`;
    if (KEYS_FOR[usage] !== undefined && KEYS_FOR[usage] !== keySpec.algorithm)
      return `usages holds "${usage}", which an ${keySpec.algorithm} key can't do`;
  }
  // RFC 8446 section 4.4.2.2, RFC 5280 section 4.2.1.12. Without any key usage all of them are allowed.
  const restricted = asked.find(isKeyUsage);
  return restricted === undefined || asked.includes('digital signature')
    ? undefined
    : `usages holds "${restricted}" without "digital signature", which every TLS client needs`;
}

/** RFC 3279 section 2.3.1, RFC 8813 section 3, RFC 9295 section 3: other keys must not have these usages. */
const KEYS_FOR: Readonly<Record<string, KeySpec['algorithm'] | undefined>> = {
  'key encipherment': 'RSA',
  'data encipherment': 'RSA',
  'key agreement': 'ECDSA',
  'encipher only': 'ECDSA',
  'decipher only': 'ECDSA',
};

/** The values (DER) of the two extensions; undefined where nothing belongs in. Throws an Error for an unknown usage. */
export function encodeUsages(usages: readonly string[]): { keyUsage?: Buffer; extendedKeyUsage?: Buffer } {
  const names = new Set(usages.map(canonicalUsage));
  const bits: number[] = [];
  const oids: Buffer[] = [];
  for (const name of names) {
    if (isKeyUsage(name)) bits.push(KEY_USAGES.indexOf(name));
    else if (isExtendedKeyUsage(name)) oids.push(oid(EXTENDED_KEY_USAGES[name]));
    else throw new Error(`unknown usage ${JSON.stringify(name)}`);
  }
  return {
    ...(bits.length > 0 && { keyUsage: namedBits(bits) }),
    ...(oids.length > 0 && { extendedKeyUsage: sequence(...oids) }),
  };
}

/** The names of the bits that are set. */
export function decodeKeyUsage(der: Buffer): string[] {
  const bits = readNamedBits(readElement(der, TAG.bitString, 'key usage'), 'key usage');
  return bits.map((bit) => KEY_USAGES[bit] ?? `key usage ${bit}`);
}

/** Names; purposes that have none come as dotted decimals. */
export function decodeExtendedKeyUsage(der: Buffer): string[] {
  const purposes = children(readElement(der, TAG.sequence, 'extended key usage'));
  return purposes
    .map((purpose) => readOid(purpose, 'extended key usage'))
    .map((dotted) => extendedByOid.get(dotted) ?? dotted);
}

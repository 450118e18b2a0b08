import { LEAF_BASIC_CONSTRAINTS, usageExtensions } from '../../../../src/pki/extensions.ts';

// The extensions of a certificate by template: https://docs.aws.amazon.com/privateca/latest/userguide/template-definitions.html

const SAN = Buffer.from('0603551d11', 'hex');
const BASIC_CONSTRAINTS = Buffer.from('0603551d13', 'hex');
const TLS_USAGES = ['digital signature', 'key encipherment'];
const FIXED: Readonly<Record<string, readonly string[]>> = {
  EndEntityCertificate: [...TLS_USAGES, 'server auth', 'client auth'],
  EndEntityClientAuthCertificate: [...TLS_USAGES, 'client auth'],
  EndEntityServerAuthCertificate: [...TLS_USAGES, 'server auth'],
  CodeSigningCertificate: ['digital signature', 'code signing'],
};
const BLANK = /^BlankEndEntityCertificate(_CriticalBasicConstraints)?_(API|CSR|APICSR)Passthrough$/;
const FLAGS: Readonly<Record<string, string>> = {
  DigitalSignature: 'digital signature',
  NonRepudiation: 'content commitment',
  KeyEncipherment: 'key encipherment',
  DataEncipherment: 'data encipherment',
  KeyAgreement: 'key agreement',
};
const TYPES: Readonly<Record<string, string>> = {
  CLIENT_AUTH: 'client auth',
  SERVER_AUTH: 'server auth',
  CODE_SIGNING: 'code signing',
  EMAIL_PROTECTION: 'email protection',
  TIME_STAMPING: 'timestamping',
  OCSP_SIGNING: 'ocsp signing',
};

/** What ApiPassthrough may hold, as far as Certwheel uses it. */
export interface Passthrough {
  readonly Extensions?: {
    readonly KeyUsage?: Readonly<Record<string, boolean>>;
    readonly ExtendedKeyUsage?: readonly { readonly ExtendedKeyUsageType?: string }[];
  };
}

/** Extensions as DER; undefined where there is no such template. */
export function extensionsBy(
  templateArn: string,
  requested: readonly Buffer[],
  { Extensions = {} }: Passthrough = {},
): Buffer[] | undefined {
  const [, name = ''] = /^arn:aws:acm-pca:::template\/(\w+)\/V1$/.exec(templateArn) ?? [];
  const names = requested.filter((each) => each.includes(SAN));
  const [base = ''] = name.split('_');
  const fixed = FIXED[base];
  if (fixed !== undefined) return [LEAF_BASIC_CONSTRAINTS, ...names, ...usageExtensions(fixed)];
  const [, , variant = ''] = BLANK.exec(name) ?? [];
  if (variant === '') return undefined;
  const byCsr = requested.filter((each) => !each.includes(BASIC_CONSTRAINTS));
  const flags = Object.entries(Extensions.KeyUsage ?? {}).flatMap(([flag, on]) => (on ? [FLAGS[flag] ?? flag] : []));
  const types = (Extensions.ExtendedKeyUsage ?? []).map(({ ExtendedKeyUsageType: type = '' }) => TYPES[type] ?? type);
  const byApi = variant.startsWith('API') ? usageExtensions([...flags, ...types]) : [];
  return [LEAF_BASIC_CONSTRAINTS, ...(variant.endsWith('CSR') ? byCsr : names), ...byApi];
}

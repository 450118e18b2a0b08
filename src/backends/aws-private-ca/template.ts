import type { Identity } from '../../api/client-certificate.ts';
import { DeniedError } from '../../errors.ts';
import { canonicalUsages, isKeyUsage } from '../../pki/usages.ts';
import type { CaArn } from './arn.ts';

/** What a template of AWS Private CA makes of a request. */
export interface Template {
  readonly arn: string;
  readonly name: string;
  /** The usages that it always writes; undefined where those come with the request. */
  readonly usages: readonly string[] | undefined;
  /** Whether the usages must be in the API call, since the template ignores the extensions of a CSR. */
  readonly takesApi: boolean;
}

/**
 * Subject and SANs always come from the CSR. The blank templates add nothing but basic constraints; this one takes further
 * extensions from the CSR, and is the one that AWS's managed permission for shared CAs (RAM) allows.
 */
const DEFAULT_TEMPLATE = 'BlankEndEntityCertificate_APICSRPassthrough/V1';
const TLS_KEY_USAGES = ['digital signature', 'key encipherment'];
const FIXED_USAGES: ReadonlyMap<string, readonly string[]> = new Map([
  ['EndEntityClientAuthCertificate', [...TLS_KEY_USAGES, 'client auth']],
  ['EndEntityCertificate', [...TLS_KEY_USAGES, 'client auth', 'server auth']],
]);

export function templateOf(templateArn: string | undefined, { partition }: CaArn): Template {
  const arn = templateArn ?? `arn:${partition}:acm-pca:::template/${DEFAULT_TEMPLATE}`;
  const name = arn.slice(arn.indexOf('/') + 1);
  const [base = '', ...variant] = name.replace(/\/V1$/, '').split('_');
  return { arn, name, usages: FIXED_USAGES.get(base), takesApi: variant.at(-1) === 'APIPassthrough' };
}

/** Whether the usages of the certificate are those of the CSR. */
export function takesCsrUsages({ usages, takesApi }: Template): boolean {
  return usages === undefined && !takesApi;
}

/** Members of ApiPassthrough.Extensions.KeyUsage. */
const KEY_USAGE_FLAGS: Readonly<Record<string, string>> = {
  'digital signature': 'DigitalSignature',
  'content commitment': 'NonRepudiation',
  'key encipherment': 'KeyEncipherment',
  'data encipherment': 'DataEncipherment',
  'key agreement': 'KeyAgreement',
  'encipher only': 'EncipherOnly',
  'decipher only': 'DecipherOnly',
};

/** Values of ApiPassthrough.Extensions.ExtendedKeyUsage[].ExtendedKeyUsageType. */
const EXTENDED_TYPES: Readonly<Record<string, string>> = {
  'server auth': 'SERVER_AUTH',
  'client auth': 'CLIENT_AUTH',
  'code signing': 'CODE_SIGNING',
  'email protection': 'EMAIL_PROTECTION',
  timestamping: 'TIME_STAMPING',
  'ocsp signing': 'OCSP_SIGNING',
};

/**
 * What goes into ApiPassthrough; undefined where the CSR says it all. Throws a DeniedError for usages that the template
 * can't carry.
 */
export function passthroughOf(template: Template, { usages }: Identity): object | undefined {
  const asked = canonicalUsages(usages);
  refuseOtherUsages(template, asked);
  if (template.usages !== undefined || takesCsrUsages(template)) return undefined;
  const unknown = asked.find((usage) => KEY_USAGE_FLAGS[usage] === undefined && EXTENDED_TYPES[usage] === undefined);
  if (unknown !== undefined)
    throw new DeniedError(
      'RequestDenied',
      `the template ${template.name} has no word for the usage ${unknown}; leave spec.awsPrivateCA.templateArn out, so that usages are taken from the CSR`,
    );
  return {
    Extensions: {
      KeyUsage: Object.fromEntries(asked.filter(isKeyUsage).map((usage) => [KEY_USAGE_FLAGS[usage], true])),
      ExtendedKeyUsage: asked
        .filter((usage) => !isKeyUsage(usage))
        .map((usage) => ({ ExtendedKeyUsageType: EXTENDED_TYPES[usage] })),
    },
  };
}

/** The proof would refuse the certificate too, but after it was issued and paid for. */
function refuseOtherUsages({ name, usages: fixed }: Template, asked: readonly string[]): void {
  if (fixed === undefined) return;
  const differs = asked.find((each) => !fixed.includes(each)) ?? fixed.find((each) => !asked.includes(each));
  if (differs === undefined) return;
  throw new DeniedError(
    'RequestDenied',
    `the template ${name} always writes the usages ${fixed.join(', ')}, and spec.usages ${asked.includes(differs) ? 'also has' : 'lacks'} ${differs}: set spec.usages to those (with an RSA key), or leave spec.awsPrivateCA.templateArn out of the authority`,
  );
}

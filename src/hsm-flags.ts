import { isAbsolute } from 'node:path';
import type { HsmRules, TenantToken } from './backends/pkcs11/config.ts';
import { type Option, toCount, toList, toNamespace } from './flag-values.ts';
import { StartError } from './start-error.ts';

/** Authorities whose keys are in an HSM. */
export interface HsmConfig {
  readonly hsm: HsmRules;
}

export const HSM_OPTIONS = [
  {
    flag: 'pkcs11-module',
    value: 'FILE',
    standard: '',
    help: "PKCS#11 library of an HSM's vendor, for authorities of kind pkcs11",
  },
  {
    flag: 'pkcs11-tenant-tokens',
    value: 'NAMESPACE/LABEL',
    standard: '',
    help: 'tokens that CertificateAuthorities may use, such as shop/shop-ca; none if empty',
  },
  {
    flag: 'pkcs11-pin-folder',
    value: 'FOLDER',
    standard: '',
    help: 'folder of the PIN files that ClusterCertificateAuthorities may name',
  },
  {
    flag: 'pkcs11-processes',
    value: 'N',
    standard: '8',
    help: 'authorities with keys in an HSM that are served, each by a process',
  },
  {
    flag: 'pkcs11-addon',
    value: 'FOLDER',
    standard: '',
    help: 'folder of pkcs11js; the image certwheel-pkcs11 sets it',
  },
] as const satisfies readonly Option[];

/** Throws StartError. */
export function toHsmConfig(values: Readonly<Record<(typeof HSM_OPTIONS)[number]['flag'], string>>): HsmConfig {
  return {
    hsm: {
      addon: toPath('pkcs11-addon', values['pkcs11-addon']),
      library: toPath('pkcs11-module', values['pkcs11-module']),
      pinFolder: toPath('pkcs11-pin-folder', values['pkcs11-pin-folder']),
      tenantTokens: toList(values['pkcs11-tenant-tokens']).map(toTenantToken),
      mostProcesses: toCount('pkcs11-processes', values['pkcs11-processes'], 1, 1_000),
    },
  };
}

function toPath(flag: string, text: string): string | undefined {
  if (text !== '' && !isAbsolute(text)) throw new StartError(`--${flag} ${text} is no absolute path`);
  return text || undefined;
}

function toTenantToken(text: string): TenantToken {
  const flag = 'pkcs11-tenant-tokens';
  const [, namespace = '', label = ''] = /^([^/]*)\/(.+)$/.exec(text) ?? [];
  if (label === '')
    throw new StartError(`--${flag} ${text} names no token; give NAMESPACE/LABEL, such as shop/shop-ca`);
  try {
    return {
      namespace: namespace === '*' ? namespace : toNamespace(flag, namespace),
      token: decodeURIComponent(label),
    };
  } catch (error) {
    if (error instanceof URIError) throw new StartError(`--${flag} ${text} is not percent-encoded UTF-8`);
    throw error;
  }
}

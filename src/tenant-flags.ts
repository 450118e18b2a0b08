import { isNetwork } from './backends/http/networks.ts';
import { EXPORTING_PREFIXES } from './certificate/decision/exported-keys.ts';
import { type Option, toBoolean, toCount, toList } from './flag-values.ts';
import { StartError } from './start-error.ts';

/** What tenants may reach, and the resources that they may use. */
export interface TenantConfig {
  /** Whether servers of authorities may be on this host. */
  readonly loopbackAuthorities: boolean;
  /** The networks in which servers of authorities must be; undefined for any. */
  readonly authorityNetworks: readonly string[] | undefined;
  /** Prefixes of keys that no template of a Secret may have. */
  readonly deniedTemplatePrefixes: readonly string[];
  /** Whether CertificateApprovals count: only where an admission policy keeps users from forging them. */
  readonly approvals: boolean;
  /** Whether the annotation that says who requested a certificate is checked by an admission policy. */
  readonly requestStamps: boolean;
  /** Memory that the objects of one namespace may use, for each kind. */
  readonly namespaceShareMiB: number;
  /** Number of CertificateAuthorities of one namespace that are served. */
  readonly namespaceAuthorities: number;
}

export const TENANT_OPTIONS = [
  {
    flag: 'allow-loopback-authorities',
    value: undefined,
    standard: 'false',
    help: 'allow authorities on this host (link-local addresses are always refused)',
  },
  {
    flag: 'authority-networks',
    value: 'CIDR,CIDR',
    standard: '',
    help: 'networks in which servers of authorities must be, such as 10.0.0.0/8,fd00::/8; any if empty',
  },
  {
    flag: 'denied-template-prefixes',
    value: 'A,B',
    standard: 'known',
    help: 'refused prefixes of keys in secretTemplate; known: those of programs that copy Secrets',
  },
  {
    flag: 'approvals',
    value: undefined,
    standard: 'false',
    help: "trust CertificateApprovals; only with the chart's admission policy for them",
  },
  {
    flag: 'request-stamps',
    value: undefined,
    standard: 'false',
    help: "log the user in certwheel.io/requested-by; only with the chart's admission policies for it",
  },
  {
    flag: 'namespace-share-mib',
    value: 'N',
    standard: '32',
    help: 'MiB for the ClientCertificates of one namespace, and for its Secrets; more are refused',
  },
  {
    flag: 'namespace-authorities',
    value: 'N',
    standard: '50',
    help: 'CertificateAuthorities that are served per namespace; more are refused',
  },
] as const satisfies readonly Option[];

/** Throws StartError. */
export function toTenantConfig(
  values: Readonly<Record<(typeof TENANT_OPTIONS)[number]['flag'], string>>,
): TenantConfig {
  const networks = toList(values['authority-networks']).map(toNetwork);
  return {
    loopbackAuthorities: toBoolean('allow-loopback-authorities', values['allow-loopback-authorities']),
    authorityNetworks: networks.length === 0 ? undefined : networks,
    deniedTemplatePrefixes: toList(values['denied-template-prefixes']).flatMap(toKeyPrefixes),
    approvals: toBoolean('approvals', values.approvals),
    requestStamps: toBoolean('request-stamps', values['request-stamps']),
    namespaceShareMiB: toCount('namespace-share-mib', values['namespace-share-mib'], 1, 100_000),
    namespaceAuthorities: toCount('namespace-authorities', values['namespace-authorities'], 1, 100_000),
  };
}

function toNetwork(text: string): string {
  if (!isNetwork(text))
    throw new StartError(`--authority-networks ${text} is no network; give CIDRs such as 10.0.0.0/8 or fd00::/8`);
  return text;
}

function toKeyPrefixes(text: string): readonly string[] {
  if (text === 'known') return EXPORTING_PREFIXES;
  if (!/^[a-z0-9][-a-z0-9.]{0,252}(\/[-A-Za-z0-9_.]{0,63})?$/.test(text))
    throw new StartError(`--denied-template-prefixes ${text} begins no label key; give one such as example.com/`);
  return [text];
}

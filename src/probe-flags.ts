import { isNetwork } from './backends/http/networks.ts';
import { type Option, toBoolean, toList } from './flag-values.ts';
import { StartError } from './start-error.ts';

/** Whether, and where, verifiers are asked. */
export interface ProbeConfig {
  readonly probes: boolean;
  /** The networks in which verifiers of ClusterCertificateAuthorities must be. */
  readonly probeAddresses: readonly string[];
  /** The networks to which a CertificateAuthority may send probes by address; it may always name a Service of its namespace. */
  readonly tenantProbeAddresses: readonly string[];
  /** For tests on one machine. */
  readonly loopbackProbes: boolean;
}

export const PROBE_OPTIONS = [
  {
    flag: 'probes',
    value: undefined,
    standard: 'false',
    help: 'ask the servers of spec.trust.verifiers whether they trust the CA',
  },
  {
    flag: 'probe-addresses',
    value: 'CIDR,CIDR',
    standard: 'private',
    help: 'networks of verifiers of ClusterCertificateAuthorities; private: RFC 1918, 6598, 4193',
  },
  {
    flag: 'tenant-probe-addresses',
    value: 'CIDR,CIDR',
    standard: '',
    help: 'networks that a CertificateAuthority may probe by address; none if empty',
  },
  {
    flag: 'allow-loopback-probes',
    value: undefined,
    standard: 'false',
    help: 'allow verifiers on this host (link-local addresses are always refused)',
  },
] as const satisfies readonly Option[];

const PRIVATE = ['10.0.0.0/8', '100.64.0.0/10', '172.16.0.0/12', '192.168.0.0/16', 'fc00::/7'];

/** Throws StartError. */
export function toProbeConfig(values: Readonly<Record<(typeof PROBE_OPTIONS)[number]['flag'], string>>): ProbeConfig {
  return {
    probes: toBoolean('probes', values.probes),
    probeAddresses: toNetworks('probe-addresses', values['probe-addresses']),
    tenantProbeAddresses: toNetworks('tenant-probe-addresses', values['tenant-probe-addresses']),
    loopbackProbes: toBoolean('allow-loopback-probes', values['allow-loopback-probes']),
  };
}

function toNetworks(flag: string, text: string): readonly string[] {
  const networks = toList(text).flatMap((each) => (each === 'private' ? PRIVATE : [each]));
  const wrong = networks.find((each) => !isNetwork(each));
  if (wrong !== undefined)
    throw new StartError(`--${flag} ${wrong} is no network; give CIDRs such as 10.0.0.0/8 or fd00::/8`);
  return networks;
}

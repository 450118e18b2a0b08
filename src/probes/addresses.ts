import type { AuthorityKind } from '../api/client-certificate.ts';
import type { AddressRules } from '../backends/http/address.ts';
import { networkList } from '../backends/http/networks.ts';
import type { ProbeConfig } from '../probe-flags.ts';

/**
 * Where the verifiers of an authority may be. The owner of a CertificateAuthority may aim probes at Pods of the namespace,
 * which is proven for each endpoint, and at what the operator opens to tenants. Neither kind reaches this host, link-local
 * addresses or metadata services.
 */
export function probeRules(kind: AuthorityKind, by: 'address' | 'service', config: ProbeConfig): AddressRules {
  const { loopbackProbes: loopback, probeAddresses, tenantProbeAddresses } = config;
  const isCluster = kind === 'ClusterCertificateAuthority';
  const networks = isCluster ? '--probe-addresses' : '--tenant-probe-addresses';
  const flags = { loopback: '--allow-loopback-probes', networks };
  if (isCluster) return { loopback, networks: networkList(probeAddresses), flags };
  // Loopback addresses need not be in the networks; without any, a tenant gets no address at all.
  if (by === 'address')
    return {
      loopback: loopback && tenantProbeAddresses.length > 0,
      networks: networkList(tenantProbeAddresses),
      flags,
    };
  return { loopback, flags };
}

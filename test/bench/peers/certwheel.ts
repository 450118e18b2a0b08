import { CERTIFICATE_AUTHORITIES, CLIENT_CERTIFICATES } from '../../../src/api/names.ts';
import type { BenchWorld } from '../bench-world.ts';
import { identity, type Peer } from './peer.ts';

const USER = 'bench-certwheel';

export async function certwheel({ client, cluster, controller }: BenchWorld): Promise<Peer> {
  const kubeconfig = await cluster.kubeconfigFor(USER, ['system:masters']);
  return {
    name: 'Certwheel',
    user: USER,
    certificates: CLIENT_CERTIFICATES,
    leaves: ['clientcertificates.certwheel.io', 'certificateauthorities.certwheel.io', 'secrets'],
    prepare: async (namespace) => {
      await client.create(CERTIFICATE_AUTHORITIES, {
        metadata: { namespace, name: 'ca' },
        spec: { secret: { name: 'ca-pair' } },
      });
    },
    start: () => controller(['--kubeconfig', kubeconfig]),
    certificate: (namespace, name) => ({
      metadata: { namespace, name },
      spec: { authorityRef: { name: 'ca' }, ...identity(namespace, name) },
    }),
  };
}

import { test } from 'uvu';
import { CONFIG_MAPS } from '../../../src/api/names.ts';
import { kubernetesCSR } from '../../../src/authorities/kubernetes-csr.ts';
import { conformance } from './conformance.ts';
import type { Place, Spec } from './subject.ts';

const CONTROLLERS = ['certificatesigningrequest-signing-controller', 'root-ca-certificate-publisher-controller'];

let started: Promise<void> | undefined;
async function prepare({ world }: Place): Promise<Spec> {
  started ??= world.cluster.startControllerManager(CONTROLLERS);
  await started;
  return {
    signerName: 'kubernetes.io/kube-apiserver-client',
    approve: true,
    trustBundle: { configMap: { name: 'kube-root-ca.crt' } },
  };
}

conformance({
  type: 'kubernetesCSR',
  capabilities: kubernetesCSR.capabilities,
  inCluster: true,
  lives: ['10m', '24h', '20000h'],
  refusedLives: [],
  checks: [
    {
      step: 'there is no trust bundle',
      reason: 'TrustBundleNotFound',
      says: 'there is no ConfigMap gone, which is to hold the CA under ca.crt',
      spoil: (good) => ({ ...good, trustBundle: { configMap: { name: 'gone' } } }),
    },
    {
      step: 'the trust bundle has no such key',
      reason: 'TrustBundleNotFound',
      says: 'ConfigMap empty has no key ca.crt',
      spoil: async (good, { world, namespace }) => {
        await world.client.create(CONFIG_MAPS, { metadata: { namespace, name: 'empty' } });
        return { ...good, trustBundle: { configMap: { name: 'empty' } } };
      },
    },
    {
      step: 'the trust bundle is no PEM',
      reason: 'TrustBundleRefused',
      says: 'trustBundle.inline',
      spoil: (good) => ({ ...good, trustBundle: { inline: 'not PEM at all' } }),
    },
  ],
  start: async () => ({ prepare, stop: async () => {} }),
});

test.run();

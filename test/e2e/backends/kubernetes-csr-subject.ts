import { CERTIFICATE_SIGNING_REQUESTS, CONFIG_MAPS } from '../../../src/api/names.ts';
import { kubernetesCSR } from '../../../src/backends/kubernetes-csr.ts';
import type { World } from '../support/world.ts';
import { startApprover } from './approver.ts';
import type { Served, Subject } from './subject.ts';
import { createdRequests } from './support.ts';

const CONTROLLERS = ['certificatesigningrequest-signing-controller', 'root-ca-certificate-publisher-controller'];
const BY_API_SERVER = 'the signer is reached by way of the Kubernetes API, and has no connection of its own';

export const kubernetesCsrSubject: Subject = {
  type: 'kubernetesCSR',
  capabilities: kubernetesCSR.capabilities,
  exempt: {
    'a connection that is spoilt, slow or busy': BY_API_SERVER,
    'credentials that are rotated under it': "its credentials are the controller's own account of the cluster",
    revocation: 'the certificates API of Kubernetes knows none',
  },
  lives: ['10m', '24h', '20000h'],
  refusedLives: [],
  checks: [
    {
      step: 'there is no trust bundle',
      reason: 'TrustBundleNotFound',
      says: 'gone, which is to hold the CA under ca.crt',
      spoil: (good) => ({ ...good, trustBundle: { configMap: { name: 'gone' } } }),
    },
    {
      step: 'the trust bundle has no such key',
      reason: 'TrustBundleNotFound',
      says: 'empty has no key ca.crt',
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
  start: async (world) => serve(await world),
};

async function serve(world: World): Promise<Served> {
  const { cluster, client } = world;
  console.log(`# kube-controller-manager ${await client.version()}`);
  const start = () => cluster.startControllerManager(CONTROLLERS);
  await start();
  const approver = startApprover(world, CERTIFICATE_SIGNING_REQUESTS);
  return {
    prepare: async () => ({
      signerName: 'kubernetes.io/kube-apiserver-client',
      trustBundle: { configMap: { name: 'kube-root-ca.crt' } },
    }),
    signer: {
      halt: () => cluster.stopControllerManager(),
      start,
      booked: () => createdRequests(world, CERTIFICATE_SIGNING_REQUESTS),
    },
    later: {
      resource: CERTIFICATE_SIGNING_REQUESTS,
      approver,
      remedy: (_where, name) => `kubectl certificate approve ${name}`,
    },
    stop: approver.stop,
  };
}

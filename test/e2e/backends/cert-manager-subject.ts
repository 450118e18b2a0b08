import { CERTIFICATE_REQUESTS, ISSUERS } from '../../../src/api/names.ts';
import { certManager } from '../../../src/backends/cert-manager.ts';
import { onStop } from '../../teardown.ts';
import { createSecret } from '../support/edits.ts';
import { makeCa, tlsData } from '../support/openssl.ts';
import type { World } from '../support/world.ts';
import { startApprover } from './approver.ts';
import { prepareCertManager } from './servers/cert-manager.ts';
import type { Place, Served, Spec, Subject } from './subject.ts';
import { createdRequests } from './support.ts';

const BY_API_SERVER = 'cert-manager is reached by way of the Kubernetes API, and has no connection of its own';

export const certManagerSubject: Subject = {
  type: 'certManager',
  capabilities: certManager.capabilities,
  exempt: {
    'a connection that is spoilt, slow or busy': BY_API_SERVER,
    'credentials that are rotated under it': "its credentials are the controller's own account of the cluster",
    revocation: 'the API of cert-manager knows none',
  },
  lives: ['1m', '24h', '2160h'],
  refusedLives: [],
  checks: [
    {
      step: 'there is no issuer',
      reason: 'IssuerNotReady',
      says: 'there is no Issuer gone in namespace',
      spoil: () => ({ issuerRef: { name: 'gone' } }),
    },
    {
      step: 'there is no ClusterIssuer',
      reason: 'IssuerNotReady',
      says: 'there is no ClusterIssuer issuer, or cert-manager is not installed',
      spoil: () => ({ issuerRef: { name: 'issuer', kind: 'ClusterIssuer' } }),
    },
    {
      step: 'there is no trust bundle',
      reason: 'TrustBundleNotFound',
      says: 'gone, which is to hold the CA',
      spoil: (good) => ({ ...good, trustBundle: { secret: { name: 'gone' } } }),
    },
  ],
  start: async (world) => serve(await world),
};

async function serve(world: World): Promise<Served> {
  const server = await prepareCertManager(world.cluster);
  onStop(server.stop);
  console.log(`# cert-manager ${server.version}`);
  // The approver is the test's, which can be told to wait.
  const start = () => server.start({ approver: false });
  await start();
  const approver = startApprover(world, CERTIFICATE_REQUESTS);
  return {
    prepare,
    signer: { halt: server.halt, start, booked: () => createdRequests(world, CERTIFICATE_REQUESTS) },
    later: {
      resource: CERTIFICATE_REQUESTS,
      approver,
      remedy: ({ namespace }, name) => `cmctl approve -n ${namespace} ${name}`,
    },
    stop: async () => {
      await approver.stop();
      await server.stop();
    },
  };
}

/** An Issuer of a CA of its own. */
async function prepare({ world, namespace }: Place): Promise<Spec> {
  const data = tlsData(await makeCa('Test'));
  await createSecret(world, namespace, 'pair', { type: 'kubernetes.io/tls', data });
  await world.client.create(ISSUERS, { metadata: { namespace, name: 'issuer' }, spec: { ca: { secretName: 'pair' } } });
  return { issuerRef: { name: 'issuer' } };
}

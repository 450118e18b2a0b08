import { test } from 'uvu';
import { ISSUERS } from '../../../src/api/names.ts';
import { certManager } from '../../../src/authorities/cert-manager.ts';
import { createSecret } from '../support/edits.ts';
import { makeCa, tlsData } from '../support/openssl.ts';
import { conformance } from './conformance.ts';
import { type CertManager, prepareCertManager } from './servers/cert-manager.ts';
import type { Place, Spec } from './subject.ts';

let running: Promise<CertManager> | undefined;

/** An Issuer of a CA of its own. */
async function prepare({ world, namespace }: Place): Promise<Spec> {
  running ??= prepareCertManager(world.cluster).then(async (server) => {
    await server.start();
    return server;
  });
  await running;
  const data = tlsData(await makeCa('Test'));
  await createSecret(world, namespace, 'pair', { type: 'kubernetes.io/tls', data });
  await world.client.create(ISSUERS, { metadata: { namespace, name: 'issuer' }, spec: { ca: { secretName: 'pair' } } });
  return { issuerRef: { name: 'issuer' } };
}

conformance({
  type: 'certManager',
  capabilities: certManager.capabilities,
  inCluster: true,
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
      says: 'Secret gone',
      spoil: (good) => ({ ...good, trustBundle: { secret: { name: 'gone' } } }),
    },
  ],
  start: async () => ({ prepare, stop: async () => (await running)?.stop() }),
});

test.run();

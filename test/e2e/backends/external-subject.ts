import { CONFIG_MAPS } from '../../../src/api/names.ts';
import { external } from '../../../src/backends/external.ts';
import { makeCa, openssl } from '../support/openssl.ts';
import type { World } from '../support/world.ts';
import { startClerk } from './csr-clerk.ts';
import { CLIENT_USAGES, type Served, type Subject } from './subject.ts';

const BY_HAND = 'a person reads and writes ConfigMaps, and there is no connection';

export const externalSubject: Subject = {
  type: 'external',
  capabilities: external.capabilities,
  exempt: {
    'a connection that is spoilt, slow or busy': BY_HAND,
    'credentials that are rotated under it': "its credentials are the controller's own account of the cluster",
    revocation: 'a person revokes with the tools of the CA',
  },
  keepsRemovedRequests: true,
  clientCsr: { extensions: CLIENT_USAGES },
  lives: ['24h', '2160h'],
  refusedLives: [],
  checks: [
    {
      step: 'there is no trust bundle',
      reason: 'TrustBundleNotFound',
      says: 'gone, which is to hold the CA under ca.crt',
      spoil: (good) => ({ ...good, trustBundle: { configMap: { name: 'gone' } } }),
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
  const [, version = ''] = (await openssl('.', 'version')).split(' ');
  console.log(`# OpenSSL ${version}`);
  const ca = await makeCa('Offline CA');
  const clerk = startClerk(world, ca);
  return {
    prepare: async () => ({ trustBundle: { inline: ca.certificate }, instructions: 'mail it to ca@example.com' }),
    signer: {
      halt: async () => clerk.rest(),
      start: async () => clerk.resume(),
      booked: async () => clerk.signed,
    },
    later: {
      resource: CONFIG_MAPS,
      approver: clerk,
      remedy: ({ namespace }, name) => `kubectl get configmap -n ${namespace} ${name}`,
      nameOf: (certificate) => `${certificate}-csr`,
      decide: (_world, _resource, object, verdict) => clerk.decide(object, verdict),
    },
    stop: clerk.stop,
  };
}

import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { createIssuer, issueServer } from '../../test/cluster/certificates.ts';
import { onStop, stopAll } from '../../test/teardown.ts';
import { issueRequest } from '../../test/unit/issue-request.ts';
import { listenersOf } from '../../test/unit/signal-listeners.ts';
import type { CloudflareBackend } from '../api/generated/types.ts';
import { systemClock } from '../clock.ts';
import { acme } from './acme.ts';
import { awsPrivateCA } from './aws-private-ca.ts';
import type { Backend } from './backend.ts';
import type { BackendDeps } from './backend-deps.ts';
import { cloudflare } from './cloudflare.ts';
import { stepCA } from './step-ca.ts';
import { vault } from './vault.ts';

test.after(stopAll);

/** A server that answers every request in the same way; the signal of a request must be free of it either way. */
async function serverThatAnswers(status: number): Promise<{ server: string; caBundle: string }> {
  const issuer = createIssuer('CA of the server');
  const { certificatePem: cert, keyPem: key } = issueServer(issuer, ['127.0.0.1']);
  const server = createServer({ cert, key }, (_request, response) => response.writeHead(status).end('{}'));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onStop(() => {
    server.closeAllConnections();
    server.close();
  });
  const caBundle = Buffer.from(issuer.certificatePem).toString('base64');
  return { server: `https://127.0.0.1:${(server.address() as AddressInfo).port}`, caBundle };
}

const AWS_KEY = { 'access-key-id': Buffer.from('AKIA'), 'secret-access-key': Buffer.from('secret') };
const deps = {
  clock: systemClock,
  addresses: { loopback: true },
  log: { warn: () => {} },
  objects: { namespace: 'ns' },
  secret: async () => ({ token: Buffer.from('hvs.secret'), password: Buffer.from('secret'), ...AWS_KEY }),
} as unknown as BackendDeps;

const AWS_CA = 'arn:aws:acm-pca:eu-central-1:111122223333:certificate-authority/1';
const cloudflareDeps: BackendDeps = { ...deps, booked: () => [], owns: () => true };

const BACKENDS: Readonly<Record<string, (place: { server: string; caBundle: string }) => Backend>> = {
  acme: (place) => {
    const trustBundle = { inline: '', partialChain: false };
    return acme.create({ ...place, trustBundle, accountKeyRollover: 0, enableDurationFeature: false }, deps);
  },
  vault: (place) =>
    vault.create(
      { ...place, mount: 'pki', role: 'client', auth: { tokenSecretRef: { name: 'token', key: 'token' } } },
      deps,
    ),
  cloudflare: (place) => {
    const apiTokenSecretRef = { name: 'token', key: 'token' };
    const spec = { ...place, zone: '0'.repeat(32), apiTokenSecretRef, trustBundle: { inline: 'PEM' } };
    return cloudflare.create(spec as CloudflareBackend, cloudflareDeps);
  },
  stepCA: ({ server }) =>
    stepCA.create(
      { server, rootFingerprints: ['0'.repeat(64)], provisioner: { name: 'p', secretRef: { name: 's' } } },
      deps,
    ),
  awsPrivateCA: ({ server: endpoint, caBundle }) =>
    awsPrivateCA.create({ arn: AWS_CA, endpoint, caBundle, auth: { secretRef: { name: 's' } } }, deps),
};

for (const [type, create] of Object.entries(BACKENDS))
  for (const status of [200, 500])
    test(`${type}: requests that a server answers with ${status} leave nothing on a signal that lives on`, async () => {
      const backend = create(await serverThatAnswers(status));
      const { signal } = new AbortController();
      const request = await issueRequest();
      const revocation = { serialNumber: '0a', leaf: undefined, externalId: undefined };
      for (let n = 0; n < 5; n++)
        await Promise.allSettled([
          backend.check(signal),
          backend.trust(signal),
          backend.issue(request, signal),
          backend.revoke?.(revocation, 'superseded', signal),
        ]);
      assert.is(listenersOf(signal), 0);
    });

test.run();

/**
 * https://github.com/cert-manager/google-cas-issuer/issues/102: the metadata server answered 500 for a moment, and no token was
 * had from then on until the pod was restarted.
 */
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { CertwheelError } from '../../../src/errors.ts';
import { onStop, stopAll } from '../../teardown.ts';
import { directGoogle } from '../backends/google-cas-direct.ts';
import { googleSpec } from '../backends/google-cas-subject.ts';
import { startGoogleCas } from '../backends/servers/google-cas.ts';
import { CERTWHEEL, REQUESTER } from '../backends/servers/google-identities.ts';

const { signal } = new AbortController();
test.after(stopAll);

test('the next check after a failure of the metadata server asks it again', async () => {
  const google = await startGoogleCas();
  const email = google.identities.addAccount('ambient', [...REQUESTER, ...CERTWHEEL]);
  let failures = 2;
  const server = createServer((_, response) => {
    response.writeHead(failures-- > 0 ? 500 : 200, { 'metadata-flavor': 'Google', 'content-type': 'application/json' });
    response.end(JSON.stringify({ access_token: google.identities.grantTo(email), expires_in: 3_600 }));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onStop(() => server.close());
  const environment = { GCE_METADATA_HOST: `127.0.0.1:${(server.address() as AddressInfo).port}` };
  const backend = directGoogle(googleSpec(google, { auth: { ambient: {} } }), { clusterWide: true, environment });
  for (let time = 1; time <= 2; time++) {
    const error = (await backend.check(signal).catch((thrown: unknown) => thrown)) as CertwheelError;
    assert.is(error.code, 'CredentialsNotFound');
    assert.match(error.message, 'the metadata server of GKE gave no token');
  }
  await backend.check(signal);
});

test.run();

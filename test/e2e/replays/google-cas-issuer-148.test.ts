/**
 * https://github.com/cert-manager/google-cas-issuer/issues/148: one element of pemCertificateChain held several certificates,
 * with other line ends, and so the root and an intermediate were taken for one certificate.
 */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { Issued } from '../../../src/backends/backend.ts';
import { stopAll } from '../../teardown.ts';
import { issueRequest } from '../../unit/issue-request.ts';
import { directGoogle } from '../backends/google-cas-direct.ts';
import { googleSpec, KEY_SECRET } from '../backends/google-cas-subject.ts';
import { startMeddler } from '../backends/intercepting-proxy.ts';
import { startGoogleCas } from '../backends/servers/google-cas.ts';
import { CERTWHEEL, REQUESTER } from '../backends/servers/google-identities.ts';

test.after(stopAll);

test('a chain whose elements hold several certificates is split, and the root is not among them', async () => {
  const google = await startGoogleCas();
  const { certificatePem: cert, keyPem: key } = google.tls;
  const proxy = await startMeddler({ url: google.url, ca: google.ca }, { cert, key });
  proxy.meddle(async (_, pass) => {
    const answer = await pass();
    const content = JSON.parse(answer.body.toString());
    const { pemCertificateChain: chain } = content;
    if (!Array.isArray(chain)) return answer;
    const body = JSON.stringify({ ...content, pemCertificateChain: [chain.join('').replaceAll('\n', '\r\n')] });
    return { status: answer.status, headers: { 'content-type': 'application/json' }, body };
  });
  const email = google.identities.addAccount('issuer', [...REQUESTER, ...CERTWHEEL]);
  const secrets = { [KEY_SECRET]: { 'key.json': google.identities.keyFile(email) } };
  const backend = directGoogle(googleSpec(google, { endpoint: proxy.url }), { secrets });
  const { chain } = (await backend.issue(await issueRequest('alice'), new AbortController().signal)) as Issued;
  assert.equal(
    chain.map(({ subject }) => subject.commonName),
    ['alice', 'CA ca-1'],
  );
  await proxy.stop();
});

test.run();

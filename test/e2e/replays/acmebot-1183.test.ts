/**
 * https://github.com/polymind-inc/acmebot/issues/1183 (also simple-acme/simple-acme 267, rmbolger/Posh-ACME 560, go-acme/lego
 * 2789): an order said which certificate it replaces (RFC 9773), and got lost. Each further one was refused as alreadyReplaced,
 * and the certificate was never renewed. And https://github.com/icing/mod_md/issues/406: that was said to servers too that
 * don't know it, which refuse such orders.
 */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { isPending } from '../../../src/backends/backend.ts';
import { parseCertificates } from '../../../src/pki/certificate.ts';
import { createIssuer, issueServer } from '../../cluster/certificates.ts';
import { stopAll } from '../../teardown.ts';
import { acmeDirect, acmeRequest, dnsSolver, issueAll } from '../backends/acme-direct.ts';
import { makeAcmeStepCa, stepCaSpec } from '../backends/acme-servers.ts';
import { startMeddler } from '../backends/intercepting-proxy.ts';
import { startChallengeServer } from '../backends/servers/challenges.ts';
import { startPebble } from '../backends/servers/pebble.ts';
import { serverCertificate } from '../backends/servers/step-ca-files.ts';
import { base64 } from '../backends/vault-world.ts';

const { signal } = new AbortController();
const dnsNames = ['replaced.example.com'];
test.after(stopAll);

/** The payload of a signed request to make an order. */
function orderIn(body: Buffer): Readonly<Record<string, unknown>> {
  const { payload } = JSON.parse(body.toString()) as { payload: string };
  return JSON.parse(Buffer.from(payload, 'base64url').toString());
}

test('an order that is refused as a second replacement is made once more without, and goes on', async () => {
  const answers = await startChallengeServer();
  const pebble = await startPebble(answers, { badNonces: 0 });
  const issuer = createIssuer('CA of the proxy');
  const { certificatePem: cert, keyPem: key } = issueServer(issuer, ['127.0.0.1']);
  const { origin, pathname } = new URL(pebble.directory);
  const proxy = await startMeddler({ url: origin, ca: pebble.ca, keepsHost: true }, { cert, key });
  const refusals: string[] = [];
  proxy.meddle(async ({ path }, pass) => {
    const answer = await pass();
    if (path.endsWith('order-plz') && answer.status >= 400) refusals.push(answer.body.toString());
    return answer;
  });
  const spec = {
    server: `${proxy.url}${pathname}`,
    caBundle: base64(issuer.certificatePem),
    trustBundle: { inline: await pebble.root(), partialChain: false },
  };
  const { backend, certificateOf } = acmeDirect(spec, { solverFor: () => dnsSolver(answers) });
  const request = await acmeRequest({ names: { dnsNames } });
  const first = await backend.issue(request, signal);
  assert.ok(isPending(first));
  await issueAll(backend, { ...request, ticket: first.ticket }).catch(() => {});
  const [leaf] = await certificateOf(first.ticket);
  assert.ok(leaf);
  for (let time = 1; time <= 3; time++) {
    const again = await acmeRequest({ names: { dnsNames }, replaced: leaf });
    const next = await backend.issue(again, signal);
    assert.ok(isPending(next), `order ${time}`);
    await issueAll(backend, { ...again, ticket: next.ticket }).catch(() => {});
  }
  assert.ok(refusals.length >= 2 && refusals.every((each) => each.includes('alreadyReplaced')), refusals.join());
  await proxy.stop();
});

test('a server without renewal information is not told what an order replaces', async () => {
  const answers = await startChallengeServer();
  const ca = await makeAcmeStepCa({ dns: answers.dns, httpPort: answers.httpPort });
  await ca.start();
  const proxy = await startMeddler(
    { url: ca.url, ca: ca.root, keepsHost: true },
    await serverCertificate('127.0.0.1', ca.issuer),
  );
  const { backend } = acmeDirect(stepCaSpec(ca, proxy.url), { solverFor: () => dnsSolver(answers) });
  const [root] = parseCertificates(ca.root);
  assert.ok(root);
  await issueAll(backend, await acmeRequest({ names: { dnsNames }, replaced: root }));
  const orders = proxy.exchanges.filter(({ path }) => path.endsWith('/new-order')).map(({ body }) => orderIn(body));
  assert.equal(
    orders.map((order) => Object.keys(order)),
    [['identifiers']],
  );
  await proxy.stop();
  await ca.stop();
});

test.run();

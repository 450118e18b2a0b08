/** Which certificate a client of an authority shows to a server that asks for one. */
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { createIssuer, issueClient, issueServer } from '../../../test/cluster/certificates.ts';
import { onStop, stopAll } from '../../../test/teardown.ts';
import { client, failure, GET, issuer, json, signal } from '../../../test/unit/authority-server.ts';

test.after(stopAll);

const clients = createIssuer('CA of clients');

function identity(name: string) {
  const { certificatePem: cert, keyPem: key } = issueClient(clients, name, []);
  return { place: 'Secret ns/login', id: name, cert, key };
}

/** A server that asks for a certificate as Vault does, and whom it saw, request by request. */
async function asking(isNeeded = false) {
  const { certificatePem: cert, keyPem: key } = issueServer(issuer, ['127.0.0.1']);
  const seen: string[] = [];
  const options = { cert, key, requestCert: true, rejectUnauthorized: isNeeded, ca: clients.certificatePem };
  const server = createServer(options, (request, response) => {
    const { subject } = (request.socket as TLSSocket).getPeerCertificate();
    seen.push(subject === undefined ? 'nobody' : String(subject.CN));
    json(response, 200, {});
  });
  server.on('tlsClientError', () => {});
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onStop(() => {
    server.closeAllConnections();
    server.close();
  });
  return { url: `https://127.0.0.1:${(server.address() as AddressInfo).port}`, seen };
}

test('the certificate that was given last is shown on the next connection', async () => {
  const { url, seen } = await asking();
  const http = client(url);
  await http.json(GET, signal);
  http.present(identity('one.example'));
  await http.json(GET, signal);
  http.present(identity('two.example'));
  await http.json(GET, signal);
  await http.json(GET, signal);
  assert.equal(seen, ['nobody', 'one.example', 'two.example', 'two.example']);
});

test('a request that is under way ends on the connection on which it began', async () => {
  const { url, seen } = await asking();
  const http = client(url);
  http.present(identity('one.example'));
  const running = http.json(GET, signal);
  http.present(identity('two.example'));
  await running;
  await http.json(GET, signal);
  assert.equal(seen, ['one.example', 'two.example']);
});

test('a listener that lets nobody in without a certificate is reported as what it is', async () => {
  const { url, seen } = await asking(true);
  const http = client(url);
  await failure(http.json(GET, signal));
  assert.is(seen.length, 0);
  http.present(identity('one.example'));
  await http.json(GET, signal);
  assert.is(seen.length, 1);
});

test('a certificate that TLS does not take is reported with its place, and the one before stays', async () => {
  const { url, seen } = await asking();
  const http = client(url);
  const good = identity('one.example');
  http.present(good);
  const { key } = identity('two.example');
  const thrown = await failure((async () => http.present({ ...good, id: 'wrong', key }))());
  assert.is(thrown.code, 'CredentialsRefused');
  assert.match(thrown.message, "the client certificate in Secret ns/login can't be used");
  assert.not.match(thrown.message, 'PRIVATE KEY');
  await http.json(GET, signal);
  assert.equal(seen, ['one.example']);
});

test.run();

import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { CLIENT_CERTIFICATES } from '../../../src/api/names.ts';
import { createIssuer, issueServer } from '../../cluster/certificates.ts';
import { onStop } from '../../teardown.ts';
import { createToken, createVaultAt } from '../support/no-vault.ts';
import { authorityStatusOf, clientCertificate, conditionOf, create, statusOf, untilReady } from '../support/objects.ts';
import { oneScene } from '../support/scene.ts';
import { eventually } from '../support/world.ts';

// A server that refuses every request with another text, as servers do that quote a request id.

const CERTIFICATES = 5;

const scene = oneScene({ authority: false, flags: ['--allow-loopback-authorities'] });
test.after(scene.stop);

const issuer = createIssuer('CA of servers');
const { certificatePem: cert, keyPem: key } = issueServer(issuer, ['127.0.0.1']);
let asked = 0;
const server = createServer({ cert, key }, (_request, response) => {
  asked += 1;
  response.writeHead(500).end(JSON.stringify({ errors: [`request ${randomUUID()} failed`] }));
}).listen(0, '127.0.0.1');
onStop(() => void server.close());

test('the answer of a server is reported by its authority, and costs its certificates no write', async () => {
  const { world, namespace } = await scene.get();
  if (!server.listening) await once(server, 'listening');
  await createToken(world, namespace);
  const { port } = server.address() as AddressInfo;
  const caBundle = Buffer.from(issuer.certificatePem).toString('base64');
  await createVaultAt(world, port, { namespace, name: 'ca' }, { caBundle });
  for (let index = 0; index < CERTIFICATES; index++) {
    await create(world, clientCertificate(namespace, `client-${index}`));
    await untilReady(world, namespace, `client-${index}`, { status: 'False', reason: 'AuthorityNotReady' });
  }
  const said = async () => conditionOf(await authorityStatusOf(world, namespace, 'ca'), 'Ready')?.message;
  assert.match(conditionOf(await statusOf(world, namespace, 'client-0'), 'Ready')?.message ?? '', /request .* failed/);
  const versions = async () => {
    const { items } = await world.client.list(CLIENT_CERTIFICATES, { namespace });
    return items.map(({ metadata }) => metadata?.resourceVersion);
  };
  const [before, first, askedBefore] = [await versions(), await said(), asked];
  // Each probe ends with the first refusal, and the third pause may be half a minute.
  await eventually('it has been probed thrice', async () => asked >= askedBefore + 3, 120_000);
  await eventually('the authority tells the latest', async () => (await said()) !== first);
  assert.equal(await versions(), before);
});

test.run();

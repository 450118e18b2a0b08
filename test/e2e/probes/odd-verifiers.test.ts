/** Servers that verify nothing, name other CAs, or don't answer: each is told apart. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { installNginx } from '../../interop/servers/nginx.ts';
import { authorityStatusOf, conditionOf } from '../support/objects.ts';
import { makeCa } from '../support/openssl.ts';
import { eventually, oneWorld } from '../support/world.ts';
import { nodeServer, SERVER, STRANGER, silentServer } from './open-server.ts';
import {
  createWithVerifiers,
  FLAGS,
  file,
  startVerifier,
  untilVerdict,
  verdictsIn,
  verifierAt,
} from './verifier-world.ts';

const shared = oneWorld();
test.after(shared.stop);

test('a verifier that accepts everybody is a condition and a Warning event', async () => {
  const world = await shared.get();
  const namespace = await world.namespace();
  const ca = await makeCa('Clients');
  const lax = await nodeServer({ requestCert: true, rejectUnauthorized: false, ca: ca.certificate }, SERVER);
  const open = await nodeServer({ requestCert: false }, SERVER);
  await world.controller(['--namespaces', namespace, ...FLAGS]);
  await createWithVerifiers(world, namespace, ca, [verifierAt('lax', lax), verifierAt('open', open)]);
  await untilVerdict(world, namespace, 'lax', 1, 'AcceptsRogue');
  await untilVerdict(world, namespace, 'open', 1, 'AcceptsRogue');
  const condition = await eventually('the condition names both', async () => {
    const found = conditionOf(await authorityStatusOf(world, namespace, 'ca'), 'VerifierAcceptsRogue');
    return found?.message.includes('verifier lax') && found.message.includes('verifier open') && found;
  });
  assert.match(condition.message, 'accepts a certificate of a foreign CA');
  assert.match(condition.message, 'asks for no client certificate');
  await eventually('there is an event', async () => {
    const events = await world.cluster.kubectl(['get', 'events.events.k8s.io', '-n', namespace, '-o', 'json']);
    return String(events.stdout ?? events).includes('"VerifierAcceptsRogue"');
  });
});

test('nginx with a stale list of CA names trusts the new CA in vain, and is told so', async () => {
  const world = await shared.get();
  const namespace = await world.namespace();
  const [old, current] = [await makeCa('Clients of old'), await makeCa('Clients')];
  const bundle = file('bundle.pem', old.certificate + current.certificate);
  const install = () =>
    installNginx('nginx.conf', {
      replacements: { 'ssl_verify_client on': `ssl_trusted_certificate ${bundle};\n    ssl_verify_client on` },
    });
  const server = await startVerifier({ install }, old.certificate);
  if (typeof server === 'string') return console.error(`skipped, nginx is not there: ${server}`);
  await world.controller(['--namespaces', namespace, ...FLAGS]);
  await createWithVerifiers(world, namespace, current, [verifierAt('nginx', server.port)]);
  const status = await untilVerdict(world, namespace, 'nginx', 1, 'DoesNotTrust');
  assert.match(status.message ?? '', 'its list of CA names lacks this CA');
});

test('a verifier that never answers, and one whose certificate is of another CA, are unknown and never a refusal', async () => {
  const world = await shared.get();
  const namespace = await world.namespace();
  const ca = await makeCa('Clients');
  const silent = await silentServer();
  const stranger = await nodeServer({ ca: ca.certificate }, STRANGER);
  const good = await nodeServer({ ca: ca.certificate }, SERVER);
  await world.controller(['--namespaces', namespace, ...FLAGS]);
  const verifiers = [
    verifierAt('silent', silent),
    verifierAt('stranger', stranger),
    verifierAt('good', good, { tls: {} }),
  ];
  await createWithVerifiers(world, namespace, ca, verifiers);
  await untilVerdict(world, namespace, 'good', 1, 'Trusts');
  const unknown = async (name: string, says: string) => {
    const status = await eventually(`${name} says ${says}`, async () => {
      const found = (await authorityStatusOf(world, namespace, 'ca')).verifiers?.find((each) => each.name === name);
      return found?.message?.includes(says) && found;
    });
    assert.equal(verdictsIn(status), { 1: 'Unknown' });
  };
  await unknown('silent', 'gives no answer (no TLS handshake)');
  await unknown('stranger', 'the certificate of the server is not trusted');
});

test.run();

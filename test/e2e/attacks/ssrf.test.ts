import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { CERTIFICATE_AUTHORITIES } from '../../../src/api/names.ts';
import { ApiError } from '../../../src/errors.ts';
import { createIssuer } from '../../cluster/certificates.ts';
import { onStop } from '../../teardown.ts';
import { lazily } from '../support/lazily.ts';
import { createToken } from '../support/no-vault.ts';
import { authorityStatusOf, conditionOf } from '../support/objects.ts';
import { eventually, oneWorld, type World } from '../support/world.ts';

// The attack: an authority whose server is a service of the controller's own Pod, node or cloud, in one of the many ways
// to write such an address, so that the controller connects to what its author can't reach.

/** An authority for each address. */
const MANY = ['--namespace-authorities', '1000'];

const shared = oneWorld();
test.after(shared.stop);

/** Stands for a service that listens to the Pod alone: it counts who connects. */
const server = createServer((socket) => {
  connections += 1;
  socket.on('error', () => {});
  socket.destroy();
}).listen(0, '127.0.0.1');
let connections = 0;
onStop(() => void server.close());

const scene = lazily(async () => {
  const world = await shared.get();
  if (!server.listening) await once(server, 'listening');
  const [guarded, listed, open] = [await world.namespace(), await world.namespace(), await world.namespace()];
  await Promise.all([
    world.controller([...MANY, '--namespaces', guarded]),
    world.controller([...MANY, '--namespaces', listed, '--authority-networks=198.51.100.0/24,2001:db8::/32']),
    world.controller([
      ...MANY,
      '--namespaces',
      open,
      '--allow-loopback-authorities',
      '--authority-networks=198.51.100.0/24',
    ]),
  ]);
  for (const namespace of [guarded, listed, open]) await createToken(world, namespace);
  return { world, guarded, listed, open, port: (server.address() as AddressInfo).port };
});

const SOME_CA = createIssuer('some CA').certificatePem;
const BACKENDS = {
  acme: { trustBundle: { inline: SOME_CA } },
  vault: { role: 'client', auth: { tokenSecretRef: { name: 'token' } } },
  cloudflare: { zone: '0'.repeat(32), apiTokenSecretRef: { name: 'token' }, trustBundle: { inline: SOME_CA } },
  stepCA: { rootFingerprints: ['ab'.repeat(32)], provisioner: { name: 'p', secretRef: { name: 'token' } } },
  awsPrivateCA: {
    arn: 'arn:aws:acm-pca:eu-central-1:111122223333:certificate-authority/1',
    auth: { secretRef: { name: 'token' } },
  },
};
/** The field that holds the address. */
const FIELDS: Readonly<Record<string, string>> = { awsPrivateCA: 'endpoint' };
type Backend = keyof typeof BACKENDS;

let made = 0;

/** What the status of an authority says whose server is this host, once it was looked at. */
async function outcomeOf(world: World, namespace: string, backend: Backend, host: string, port: number) {
  made += 1;
  const name = `ca-${made}`;
  const address = { [FIELDS[backend] ?? 'server']: `https://${host}:${port}` };
  const spec = { [backend]: { ...address, ...BACKENDS[backend] } };
  try {
    await world.client.create(CERTIFICATE_AUTHORITIES, { metadata: { namespace, name }, spec });
  } catch (error) {
    if (error instanceof ApiError && error.status === 422) return 'refused by the schema';
    throw error;
  }
  return eventually(`${host} is judged`, async () => {
    const ready = conditionOf(await authorityStatusOf(world, namespace, name), 'Ready');
    return ready?.status === 'False' && `${ready.reason}: ${ready.message}`;
  });
}

const THIS_HOST = [
  '127.0.0.1',
  '127.1',
  '2130706433',
  '0x7f000001',
  '0177.0.0.1',
  '0.0.0.0',
  'localhost',
  '[::1]',
  '[::]',
  '[::ffff:127.0.0.1]',
  '[::ffff:7f00:1]',
  '[::ffff:0:7f00:1]',
  '[::7f00:1]',
  '[64:ff9b::7f00:1]',
  '[2002:7f00:1::]',
];
const NODE_OR_CLOUD = [
  '169.254.169.254',
  '2852039166',
  '100.100.100.200',
  '[::ffff:a9fe:a9fe]',
  '[64:ff9b::a9fe:a9fe]',
  '[64:ff9b:1::a9fe:a9fe]',
  '[64:ff9b:1::1]',
  '[2002:a9fe:a9fe::]',
  '[2001:0:a9fe:a9fe::]',
  '[fe80::1]',
  '[fd00:ec2::254]',
  '[ff02::1]',
  '224.0.0.1',
  '255.255.255.255',
  '0.1.2.3',
];

/** CEL's isIP knows no IPv4 address in the form of an IPv6 one; a name may still resolve to one. */
const isMapped = (host = '') => host.startsWith('[::ffff:') && !host.startsWith('[::ffff:0:');

for (const backend of Object.keys(BACKENDS) as Backend[])
  test(`${backend}: nothing connects to this host, to a node or to a cloud, however its address is written`, async () => {
    const { world, guarded, port } = await scene.get();
    const before = connections;
    const hosts = [...THIS_HOST, ...NODE_OR_CLOUD];
    const said = await Promise.all(hosts.map((host) => outcomeOf(world, guarded, backend, host, port)));
    for (const [index, outcome] of said.entries())
      assert.match(
        outcome,
        isMapped(hosts[index]) ? /^refused by the schema$/ : /^AuthorityMisconfigured: .* is not asked: /,
        `${hosts[index]}: ${outcome}`,
      );
    assert.is(connections, before);
  });

test('where this host is allowed, its addresses are connected to, so that the refusals above are what kept them out', async () => {
  const { world, open, port } = await scene.get();
  for (const host of ['127.0.0.1', '2130706433', 'localhost']) {
    const before = connections;
    const outcome = await outcomeOf(world, open, 'vault', host, port);
    assert.not.match(outcome, 'is not asked', host);
    assert.ok(connections > before, `${host}: ${outcome}`);
  }
  assert.match(await outcomeOf(world, open, 'vault', '169.254.169.254', port), 'link-local');
});

test('where networks are listed, a server outside of them is not asked, and one inside is', async () => {
  const { world, listed, port } = await scene.get();
  for (const host of ['203.0.113.1', '10.0.0.1', '[64:ff9b::cb00:7101]', '[2001:db9::1]', '127.0.0.1', 'localhost'])
    assert.match(await outcomeOf(world, listed, 'vault', host, port), 'is not asked', host);
  for (const host of ['198.51.100.7', '[64:ff9b::c633:6407]', '[2001:db8::7]'])
    assert.not.match(await outcomeOf(world, listed, 'vault', host, port), 'is not asked', host);
});

test.run();

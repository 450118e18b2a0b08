import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:https';
import { type AddressInfo, createServer as createTcp } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { TrustSourceStatus } from '../../../src/api/generated/types.ts';
import { CERTIFICATE_AUTHORITIES, CONFIG_MAPS } from '../../../src/api/names.ts';
import { parseCertificates } from '../../../src/pki/certificate.ts';
import { createIssuer, issueServer } from '../../cluster/certificates.ts';
import type { Holder } from '../../pki/make.ts';
import { onStop } from '../../teardown.ts';
import { jwtKey, spiffeDocument, spiffeKey } from '../../unit/spiffe-document.ts';
import { certificatesOf } from '../authority/history.ts';
import { QUIET_MS } from '../support/eventually.ts';
import { lazily } from '../support/lazily.ts';
import { authorityStatusOf } from '../support/objects.ts';
import { makeCa } from '../support/openssl.ts';
import { eventually, oneWorld, type World } from '../support/world.ts';

// Two attacks: a bundle endpoint that answers something else than its bundle, to cut off the clients of a partner or to bring
// in a CA of its own; and a tenant who names an address inside the cluster as the endpoint of a bundle.

const shared = oneWorld();
test.after(shared.stop);

const issuer = createIssuer('CA of bundle endpoints');
const partner = await makeCa('partner');
const other = await makeCa('other', {
  extensions: ['basicConstraints=critical,CA:TRUE', 'subjectAltName=URI:spiffe://other.example'],
});
const old = await makeCa('old', { notBefore: new Date('2020-01-01'), notAfter: new Date('2021-01-01') });
const client = await makeCa('client', { extensions: ['basicConstraints=critical,CA:FALSE'] });

type Files = Awaited<ReturnType<typeof makeCa>>;

function holderOf({ certificate: pem }: Files): Pick<Holder, 'certificate'> {
  const [certificate] = parseCertificates(pem);
  if (certificate === undefined) throw new Error('no certificate');
  return { certificate };
}

function keyOf(files: Files, members: Readonly<Record<string, unknown>> = {}) {
  return spiffeKey(holderOf(files), members);
}

type Answer = (response: ServerResponse, request: IncomingMessage) => void;

const bundle =
  (...keys: readonly unknown[]): Answer =>
  (response) =>
    void response.end(JSON.stringify(spiffeDocument(keys)));
const pour: Answer = (response) => {
  const more = () => {
    while (!response.destroyed && response.write(' '.repeat(65_536)));
  };
  response.on('drain', more);
  more();
};

const HOSTILE: Readonly<Record<string, [Answer, reason: TrustSourceStatus['reason'], says?: string]>> = {
  redirect: [
    (response) => void response.writeHead(307, { location: 'https://169.254.169.254/' }).end(),
    'TrustEndpointUnreachable',
  ],
  endless: [pour, 'TrustEndpointUnreachable'],
  silent: [() => {}, 'TrustEndpointUnreachable'],
  closed: [(_response, request) => void request.socket.destroy(), 'TrustEndpointUnreachable'],
  page: [(response) => void response.end('<html>'), 'TrustEndpointUnreachable'],
  forbidden: [(response) => void response.writeHead(403).end('{"message": "no"}'), 'TrustEndpointUnreachable'],
  nothing: [(response) => void response.end('{}'), 'TrustEndpointUnreachable'],
  empty: [bundle(), 'TrustBundleRefused'],
  jwt: [bundle(jwtKey(holderOf(partner))), 'TrustBundleRefused'],
  clients: [bundle(keyOf(client)), 'TrustBundleRefused', 'is not a CA'],
  expired: [bundle(keyOf(old)), 'TrustBundleRefused', 'all have expired'],
  foreign: [bundle(keyOf(other)), 'TrustBundleRefused', 'is of another trust domain'],
  mixed: [bundle(keyOf(partner), keyOf(other, { x5c: keyOf(partner).x5c })), 'TrustBundleRefused'],
  many: [bundle(...Array(500).fill(keyOf(other))), 'TrustBundleRefused'],
};

let isHostile = false;
const { certificatePem: cert, keyPem: key } = issueServer(issuer, ['127.0.0.1']);
const server = createServer({ cert, key }, (request, response) => {
  const [answer] = HOSTILE[request.url?.slice(1) ?? ''] ?? [];
  (isHostile && answer ? answer : bundle(keyOf(partner)))(response, request);
});
onStop(() => {
  server.closeAllConnections();
  server.close();
});

const scene = lazily(async () => {
  const world = await shared.get();
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
  const [open, guarded] = [await world.namespace(), await world.namespace()];
  const flags = ['--trust-targets', 'configMaps'];
  await world.controller([...flags, '--namespaces', open, '--allow-loopback-authorities']);
  await world.controller([...flags, '--namespaces', guarded]);
  return { world, open, guarded, port: (server.address() as AddressInfo).port };
});

function createWith({ client }: World, namespace: string, name: string, endpoint: string) {
  const caBundle = Buffer.from(issuer.certificatePem).toString('base64');
  const spiffeBundle = { endpoint, trustDomain: 'partner.example', profile: 'https_web', caBundle, interval: '10s' };
  return client.create(CERTIFICATE_AUTHORITIES, {
    metadata: { namespace, name },
    spec: {
      selfManaged: { commonName: name },
      trust: { sources: [{ name: 'partner', spiffeBundle }], targets: [{ name: 'own', configMap: { name } }] },
    },
  });
}

function untilRefused(world: World, namespace: string, name: string) {
  return eventually(`the source of ${name} is refused`, async () => {
    const [source] = (await authorityStatusOf(world, namespace, name)).trust?.sources ?? [];
    return source?.reason !== undefined && source;
  });
}

test('an endpoint that answers something else takes no CA out of a target, and brings none in', async () => {
  const { world, open, port } = await scene.get();
  const kinds = Object.keys(HOSTILE);
  for (const kind of kinds) await createWith(world, open, kind, `https://127.0.0.1:${port}/${kind}`);
  const read = (name: string) => world.client.get(CONFIG_MAPS, open, name);
  const before = new Map<string, unknown>();
  for (const kind of kinds)
    before.set(
      kind,
      await eventually(`${kind} is written`, async () => {
        const found = await read(kind);
        return certificatesOf(found?.data?.['ca.crt'] ?? '').length === 2 && found;
      }),
    );
  isHostile = true;
  const messages = new Set<string>();
  for (const [kind, [, reason, says = '']] of Object.entries(HOSTILE)) {
    const source = await untilRefused(world, open, kind);
    assert.is(source.reason, reason, `${kind}: ${source.message}`);
    assert.match(source.message ?? '', says, kind);
    assert.is(source.certificates, 1, kind);
    if (reason === 'TrustEndpointUnreachable') messages.add(source.message ?? '');
  }
  // A tenant reads the same of every server that is no bundle endpoint.
  assert.is(messages.size, 1, [...messages].join('\n'));
  await sleep(QUIET_MS);
  for (const kind of kinds) assert.equal(await read(kind), before.get(kind), kind);
});

const HOSTS = ['127.0.0.1', '2130706433', 'localhost', '[::1]', '[64:ff9b::7f00:1]', '169.254.169.254', '[fe80::1]'];

test('a tenant reaches no service of this host, a node or a cloud by the endpoint of a bundle', async () => {
  const { world, guarded } = await scene.get();
  let connections = 0;
  const target = createTcp((socket) => {
    connections += 1;
    socket.on('error', () => {}).destroy();
  }).listen(0);
  onStop(() => void target.close());
  const { port } = target.address() as AddressInfo;
  for (const [index, host] of HOSTS.entries()) {
    await createWith(world, guarded, `host-${index}`, `https://${host}:${port}`);
    const { reason, message = '' } = await untilRefused(world, guarded, `host-${index}`);
    assert.is(reason, 'TrustEndpointUnreachable', host);
    assert.match(message, 'is not asked: ', host);
  }
  assert.is(connections, 0);
});

test.run();

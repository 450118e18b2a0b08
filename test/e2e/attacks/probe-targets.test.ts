import { createServer } from 'node:net';
import { networkInterfaces } from 'node:os';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { CERTIFICATE_AUTHORITIES, ENDPOINT_SLICES, PODS, SERVICES } from '../../../src/api/names.ts';
import { onStop } from '../../teardown.ts';
import { lazily } from '../support/lazily.ts';
import { authorityStatusOf } from '../support/objects.ts';
import { eventually, oneWorld, type World } from '../support/world.ts';

// The attack: a tenant aims spec.trust.verifiers at what only the controller reaches: this host, its node, the metadata
// service, the API server, or, by forged EndpointSlices, another namespace. The positive control is a Pod of the tenant's own.

const shared = oneWorld();
test.after(shared.stop);

/** An address of this machine that the API server admits as one of a Pod. */
const HERE = Object.values(networkInterfaces())
  .flat()
  .find((each) => each?.family === 'IPv4' && !each.internal && !each.address.startsWith('169.254.'))?.address;

const scene = lazily(async () => {
  const world = await shared.get();
  let connections = 0;
  const server = createServer((socket) => {
    connections++;
    socket.on('error', () => {}).destroy();
  });
  await new Promise<void>((resolve) => server.listen(0, '0.0.0.0', resolve));
  onStop(() => void server.close());
  const { port } = server.address() as { port: number };
  const [namespace, other] = [await world.namespace(), await world.namespace()];
  await world.controller(['--namespaces', `${namespace},${other}`, '--probes', '--probe-addresses=0.0.0.0/0']);
  return { world, namespace, other, port, connections: () => connections };
});

let made = 0;

/** What status says of a verifier of the tenant, once it was dealt with. */
async function messageOf(world: World, namespace: string, verifier: object): Promise<string> {
  const name = `ca-${++made}`;
  await world.client.create(CERTIFICATE_AUTHORITIES, {
    metadata: { namespace, name },
    spec: {
      selfManaged: { commonName: 'Clients' },
      trust: { verifiers: [{ name: 'victim', protocol: { tls: {} }, interval: '10s', ...verifier }] },
    },
  });
  return eventually(`${name} was asked or refused`, async () => {
    const [found] = (await authorityStatusOf(world, namespace, name)).verifiers ?? [];
    return found?.lastChange !== undefined && (found.message ?? 'trusted');
  });
}

interface Claim {
  readonly address: string;
  readonly port: number;
  readonly targetRef?: object;
}

/** A Service without a selector, and an EndpointSlice as the tenant likes it. */
async function service({ client }: World, namespace: string, name: string, { address, port, targetRef }: Claim) {
  await client.create(SERVICES, { metadata: { namespace, name }, spec: { ports: [{ port: 443, name: 'tls' }] } });
  await client.create(ENDPOINT_SLICES, {
    metadata: { namespace, name, labels: { 'kubernetes.io/service-name': name } },
    ...{ addressType: 'IPv4', ports: [{ name: 'tls', port, protocol: 'TCP' }] },
    endpoints: [{ addresses: [address], conditions: { ready: true }, targetRef }],
  } as never);
}

/** A Pod as its kubelet would report it. */
async function pod({ client }: World, namespace: string, name: string, ip: string, hostNetwork = false) {
  const containers = [{ name: 'main', image: 'none' }];
  await client.create(PODS, { metadata: { namespace, name }, spec: { hostNetwork, containers } });
  const status = { podIP: ip, podIPs: [{ ip }], phase: 'Running' };
  await client.apply(PODS, { metadata: { namespace, name }, status } as never, { subresource: 'status' });
}

const at = (name: string) => ({ service: { name, port: 443 } });

test('a verifier of a tenant at an address is refused, wherever it is', async () => {
  const { world, namespace, port, connections } = await scene.get();
  const before = connections();
  const api = new URL(world.cluster.url);
  const addresses = [
    `127.0.0.1:${port}`,
    `localhost:${port}`,
    `[::1]:${port}`,
    `[::ffff:127.0.0.1]:${port}`,
    '169.254.169.254:80',
    '[fd00:ec2::254]:80',
    `${api.hostname}:${api.port}`,
    '10.96.0.1:443',
    ...(HERE === undefined ? [] : [`${HERE}:${port}`]),
  ];
  for (const address of addresses)
    assert.match(await messageOf(world, namespace, { address }), /may not be asked|can't be resolved/, address);
  assert.is(connections(), before);
});

test('a Service leads a probe to Pods of its own namespace alone', async () => {
  const { world, namespace, other, port, connections } = await scene.get();
  if (HERE === undefined) return console.error('skipped: this machine has no address but loopback');
  const before = connections();
  await pod(world, namespace, 'elsewhere', '10.1.2.3');
  await pod(world, namespace, 'on-node', HERE, true);
  await pod(world, other, 'theirs', HERE);
  const claims: Record<string, Claim> = {
    'no-pod': { address: HERE, port },
    'pod-that-is-not-there': { address: HERE, port, targetRef: { kind: 'Pod', name: 'nobody' } },
    'pod-of-another-address': { address: HERE, port, targetRef: { kind: 'Pod', name: 'elsewhere' } },
    'pod-of-another-namespace': { address: HERE, port, targetRef: { kind: 'Pod', namespace: other, name: 'theirs' } },
    'pod-of-the-node': { address: HERE, port, targetRef: { kind: 'Pod', name: 'on-node' } },
    'of-a-node': { address: HERE, port, targetRef: { kind: 'Node', name: 'on-node' } },
  };
  for (const [name, claim] of Object.entries(claims)) {
    await service(world, namespace, name, claim);
    assert.match(await messageOf(world, namespace, at(name)), 'it may not be asked: endpoint', name);
  }
  await world.client.create(SERVICES, {
    metadata: { namespace, name: 'external' },
    spec: { type: 'ExternalName', externalName: 'localhost', ports: [{ port: 443 }] },
  });
  assert.match(await messageOf(world, namespace, at('external')), 'is an ExternalName');
  await service(world, other, 'in-other', { address: HERE, port, targetRef: { kind: 'Pod', name: 'theirs' } });
  assert.match(await messageOf(world, namespace, at('in-other')), 'does not exist');
  assert.is(connections(), before);

  // The positive control: the same address, as that of a Pod of the tenant.
  await pod(world, namespace, 'mine', HERE);
  await service(world, namespace, 'mine', { address: HERE, port, targetRef: { kind: 'Pod', name: 'mine' } });
  assert.match(await messageOf(world, namespace, at('mine')), 'gives no answer');
  assert.ok(connections() > before);
});

test('without --probes no verifier is asked, and status says so', async () => {
  const { world } = await scene.get();
  const namespace = await world.namespace();
  await world.controller(['--namespaces', namespace]);
  assert.match(await messageOf(world, namespace, at('any')), 'without --probes');
});

test.run();

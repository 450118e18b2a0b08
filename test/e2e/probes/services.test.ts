/** Every ready endpoint behind a Service is asked, over IPv4 and IPv6, for both kinds of authority. */

import { networkInterfaces } from 'node:os';
import { createServer as createTlsServer, type Server } from 'node:tls';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { AuthorityStatus } from '../../../src/api/generated/types.ts';
import {
  CERTIFICATE_AUTHORITIES,
  CLUSTER_CERTIFICATE_AUTHORITIES,
  CONFIG_MAPS,
  ENDPOINT_SLICES,
  NAMESPACES,
  PODS,
  type Resource,
  SERVICES,
} from '../../../src/api/names.ts';
import { authority } from '../../interop/support/authority.ts';
import { onStop } from '../../teardown.ts';
import { eventually, oneWorld, type World } from '../support/world.ts';

const shared = oneWorld({ own: true });
test.after(shared.stop);

const OURS = Object.values(networkInterfaces())
  .flat()
  .filter((each) => each !== undefined && !each.internal && !/^(fe80|169\.254)/.test(each.address));
const V4 = OURS.find((each) => each?.family === 'IPv4')?.address;
const V6 = OURS.find((each) => each?.family === 'IPv6')?.address;

const servers = await authority(1, 'CA of servers');

/** A server on all addresses that answers 200 to clients of that CA; returns its port. */
async function serve(name: string, clientCa: string): Promise<{ port: number; server: Server }> {
  const own = await servers.issue({ names: { dnsNames: [name] }, usages: ['digital signature', 'server auth'] });
  const options = { cert: own.certificate, key: own.key, requestCert: true, rejectUnauthorized: true };
  const server = createTlsServer({ ...options, ca: clientCa }, (socket) =>
    socket.on('error', () => {}).on('data', () => socket.end('HTTP/1.1 200 OK\r\n\r\n')),
  );
  server.on('tlsClientError', () => {});
  await new Promise<void>((resolve) => server.listen(0, '::', resolve));
  onStop(() => void server.close());
  return { port: (server.address() as { port: number }).port, server };
}

async function slice(world: World, namespace: string, name: string, address: string, port: number, ready = true) {
  const containers = [{ name: 'main', image: 'none' }];
  await world.client.create(PODS, { metadata: { namespace, name }, spec: { containers } });
  const status = { podIP: address, podIPs: [{ ip: address }] };
  await world.client.apply(PODS, { metadata: { namespace, name }, status } as never, { subresource: 'status' });
  await world.client.create(ENDPOINT_SLICES, {
    metadata: { namespace, name, labels: { 'kubernetes.io/service-name': 'gateway' } },
    addressType: address.includes(':') ? 'IPv6' : 'IPv4',
    ports: [{ name: 'tls', port, protocol: 'TCP' }],
    endpoints: [{ addresses: [address], conditions: { ready }, targetRef: { kind: 'Pod', namespace, name } }],
  } as never);
}

const KINDS: readonly Resource[] = [CERTIFICATE_AUTHORITIES, CLUSTER_CERTIFICATE_AUTHORITIES];

test('each endpoint behind a Service counts, and the one that does not trust is named', async () => {
  if (V4 === undefined || V6 === undefined)
    return console.error('skipped: this machine has no address of both families');
  const world = await shared.get();
  await world.client.create(NAMESPACES, { metadata: { name: 'certwheel-system' } }).catch(() => {});
  await world.controller(['--probes', `--probe-addresses=${V4}/32,${V6}/128`]);
  for (const resource of KINDS) {
    const namespace = await world.namespace();
    const isCluster = !resource.namespaced;
    const name = `clients-${namespace}`;
    const place = isCluster ? {} : { namespace };
    const caPlace = isCluster ? 'certwheel-system' : namespace;
    await world.client.apply(CONFIG_MAPS, {
      metadata: { namespace: caPlace, name: 'server-ca' },
      data: { 'ca.crt': servers.ca },
    });
    await world.client.create(SERVICES, {
      metadata: { namespace, name: 'gateway' },
      spec: { ports: [{ name: 'tls', port: 443 }] },
    });
    const service = { name: 'gateway', port: 443, ...(isCluster ? { namespace } : {}) };
    const verifier = {
      name: 'gateway',
      service,
      serverCA: { configMap: { name: 'server-ca' } },
      protocol: { http: {} },
      interval: '10s',
    };
    await world.client.create(resource, {
      metadata: { ...place, name },
      spec: { selfManaged: { commonName: 'Clients' }, trust: { verifiers: [verifier] } },
    });
    const statusOf = async () =>
      ((await world.client.get(resource, isCluster ? undefined : namespace, name))?.status ?? {}) as AuthorityStatus;
    const says = (what: string, so: (status: NonNullable<AuthorityStatus['verifiers']>[number]) => boolean) =>
      eventually(`${resource.kind}: ${what}`, async () => {
        const [found] = (await statusOf()).verifiers ?? [];
        return found !== undefined && so(found) && found;
      }).catch(async (error: Error) => {
        throw new Error(`${error.message}; status says ${JSON.stringify((await statusOf()).verifiers)}`);
      });
    await says(
      'there is no endpoint',
      ({ message }) => message === `Service ${namespace}/gateway has no ready endpoint`,
    );
    const ca = await eventually('there is a CA', async () => (await statusOf()).generations?.[0]?.certificate);
    const host = `gateway.${namespace}.svc`;
    const [good, bad] = [await serve(host, ca), await serve(host, servers.ca)];
    await slice(world, namespace, 'one', V4, good.port);
    await slice(world, namespace, 'two', V6, bad.port);
    await slice(world, namespace, 'unready', V4, 1, false);
    const refused = await says('one refuses', ({ message }) => message?.includes(`[${V6}]:${bad.port}`) === true);
    assert.is(refused.endpoints, 2);
    assert.not.match(refused.message ?? '', `${V4}:${good.port}`);
    assert.is.not(refused.generations?.[0]?.verdict, 'Trusts');
    const again = await servers.issue({ names: { dnsNames: [host] }, usages: ['digital signature', 'server auth'] });
    bad.server.setSecureContext({ cert: again.certificate, key: again.key, ca });
    const trusting = await says('both trust', ({ generations }) => generations?.[0]?.verdict === 'Trusts');
    assert.is(trusting.endpoints, 2);
    assert.is(trusting.message, undefined);
  }
});

test.run();

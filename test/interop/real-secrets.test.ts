/** nginx, HAProxy and Envoy on Secrets of a running controller, through renewals and a replacement of the CA, under requests. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { createSecretAuthority, pairData, putCaSecret } from '../e2e/support/ca-secret.ts';
import { renewAt, untilRevision } from '../e2e/support/edits.ts';
import { eventually } from '../e2e/support/eventually.ts';
import { lazily } from '../e2e/support/lazily.ts';
import { authorityStatusOf, clientCertificate, create, readSecret } from '../e2e/support/objects.ts';
import { makeCa } from '../e2e/support/openssl.ts';
import { oneScene } from '../e2e/support/scene.ts';
import { stopAll } from '../teardown.ts';
import { envoy } from './servers/envoy.ts';
import { haproxy } from './servers/haproxy.ts';
import { nginx } from './servers/nginx.ts';
import { available } from './support/available.ts';
import { currentFolder, type Mount } from './support/mount.ts';
import type { RunningServer, ServerProgram } from './support/reader.ts';
import { followReal, mountReal } from './support/real-mount.ts';
import { request } from './support/request.ts';
import { startOn } from './support/stage.ts';
import { underTraffic } from './support/traffic.ts';

test.after(stopAll);

const programs: ServerProgram[] = [];
for (const { title, install } of [nginx, haproxy, envoy]) {
  const program = await available(title, install);
  if (program !== undefined) programs.push(program);
}

/** Long enough for a server to load a new list of CAs on a busy machine. */
const scene = oneScene({ authority: false, flags: ['--trust-propagation', '10s'] });

const shared = lazily(async () => {
  const { world, namespace } = await scene.get();
  const [ca, next] = [await makeCa('Shop CA'), await makeCa('Next CA')];
  await putCaSecret(world, namespace, 'ca-pair', pairData(ca));
  await createSecretAuthority(world, namespace, 'ca', 'ca-pair');
  // Re-issues during a CA rotation are spread over the life of the certificates.
  const duration = '90s';
  const web = {
    duration,
    dnsNames: ['localhost'],
    usages: ['digital signature', 'server auth', 'client auth'],
    additionalOutputFormats: [{ type: 'CombinedPEM' }],
  };
  await create(world, clientCertificate(namespace, 'web', web));
  await create(world, clientCertificate(namespace, 'orders', { duration }));
  const mounts = {
    web: await mountReal(world, namespace, 'web-tls'),
    orders: await mountReal(world, namespace, 'orders-tls'),
  };
  const servers: RunningServer[] = [];
  for (const program of programs) servers.push(await startOn(program, mounts.web));
  const loadAll = () => Promise.all(servers.map((server) => server.reload()));
  followReal(world, { namespace, name: 'web-tls', mount: mounts.web }, loadAll);
  followReal(world, { namespace, name: 'orders-tls', mount: mounts.orders });
  return { world, namespace, mounts, servers, next };
});

/** As docs/workloads.md asks: the link is resolved once, and all files are read from its target. */
function read({ directory }: Mount) {
  const folder = join(directory, currentFolder(directory) ?? '');
  const [certificate = '', key = '', ca = ''] = ['tls.crt', 'tls.key', 'ca.crt'].map((name) =>
    readFileSync(join(folder, name), 'utf8'),
  );
  return { client: { certificate, key }, ca };
}

async function traffic(change: () => Promise<void>): Promise<void> {
  const { mounts, servers } = await shared.get();
  let turn = 0;
  const call = () => ({ ...read(mounts.orders), port: servers[++turn % servers.length]?.port ?? 0 });
  const { requests, failures } = await underTraffic(call, change);
  console.log(`# ${requests} requests`);
  assert.equal(failures, []);
}

/** Waits until all servers present the certificate of the Secret. */
async function untilServed(): Promise<void> {
  const { world, namespace, mounts, servers } = await shared.get();
  for (const { port } of servers)
    await eventually(`the server at ${port} presents the certificate of the Secret`, async () => {
      const { serverSerial } = await request({ ...read(mounts.orders), port });
      const secret = await readSecret(world, namespace, 'web-tls');
      return secret?.leaf.serialNumber.toLowerCase() === serverSerial;
    });
}

if (programs.length > 0) {
  test('three renewals of server and client fail no request', async () => {
    await traffic(async () => {
      const { world, namespace } = await shared.get();
      for (const revision of [2, 3, 4]) {
        await renewAt(world, namespace, 'orders');
        await renewAt(world, namespace, 'web');
        await untilRevision(world, namespace, 'orders-tls', revision);
        await untilRevision(world, namespace, 'web-tls', revision);
        await untilServed();
      }
    });
  });

  test('a CA that is replaced fails no request', async () => {
    await traffic(async () => {
      const { world, namespace, next } = await shared.get();
      await putCaSecret(world, namespace, 'ca-pair', pairData(next));
      await eventually(
        'the first CA is retired',
        async () => {
          const { generations = [] } = await authorityStatusOf(world, namespace, 'ca');
          return generations.some(({ state }) => state === 'Retired');
        },
        150_000,
        500,
      );
      const secret = await readSecret(world, namespace, 'web-tls');
      assert.is(secret?.bundle.trim(), next.certificate.trim(), 'ca.crt holds the next CA alone');
      await untilServed();
    });
  });
}

test.run();

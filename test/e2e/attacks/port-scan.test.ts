import { once } from 'node:events';
import { createServer as createHttps } from 'node:https';
import { type AddressInfo, createServer as createTcp, type Server } from 'node:net';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { CERTIFICATE_AUTHORITIES, CLUSTER_CERTIFICATE_AUTHORITIES } from '../../../src/api/names.ts';
import { createIssuer, issueServer } from '../../cluster/certificates.ts';
import { onStop } from '../../teardown.ts';
import { untilAuthority, untilClusterAuthority } from '../backends/place.ts';
import { createToken } from '../support/no-vault.ts';
import { clientCertificate, conditionOf, create, untilReady } from '../support/objects.ts';
import { eventsOf } from '../support/recorded.ts';
import { oneScene } from '../support/scene.ts';
import { eventually } from '../support/world.ts';

// The attack: a tenant names one address after the other as the server of an authority, and reads from status and events
// which ports are open, and what is behind them.

const issuer = createIssuer('CA of servers');
const own = issueServer(issuer, ['127.0.0.1']);
const foreign = issueServer(createIssuer('another CA'), ['127.0.0.1']);
const https = ({ certificatePem: cert, keyPem: key }: typeof own, status: number, body: string) =>
  createHttps({ cert, key }, (_request, response) => response.writeHead(status).end(body));

/** Undefined stands for a port at which nothing listens. */
const PORTS: Readonly<Record<string, Server | undefined>> = {
  closed: undefined,
  open: createTcp((socket) => void socket.on('error', () => {}).end('SSH-2.0-OpenSSH_9.9\r\n')),
  // It accepts the connection and sends nothing.
  silent: createTcp((socket) => void socket.on('error', () => {})),
  foreign: https(foreign, 200, '{}'),
  page: https(own, 200, '<html>Grafana</html>'),
  forbidden: https(own, 403, '{"kind": "Status", "message": "pods is forbidden", "code": 403}'),
  missing: https(own, 404, '404 page not found'),
};

async function portOf(server: Server | undefined): Promise<number> {
  const listening = (server ?? createTcp()).listen(0, '127.0.0.1');
  await once(listening, 'listening');
  const { port } = listening.address() as AddressInfo;
  if (server === undefined) listening.close();
  else onStop(() => void server.close());
  return port;
}

const flags = ['--allow-loopback-authorities'];
const scene = oneScene({ authority: false, isHome: true, flags }, async ({ world, namespace: home }) => {
  const namespace = await world.namespace();
  for (const each of [home, namespace]) await createToken(world, each);
  const ports = new Map<string, number>();
  for (const [name, server] of Object.entries(PORTS)) ports.set(name, await portOf(server));
  const specOf = (port: number) => {
    const caBundle = Buffer.from(issuer.certificatePem).toString('base64');
    return {
      server: `https://127.0.0.1:${port}`,
      role: 'client',
      caBundle,
      auth: { tokenSecretRef: { name: 'token' } },
    };
  };
  return { home, namespace, ports, specOf };
});
test.after(scene.stop);

test('status and events of authorities and certificates are the same for every port', async () => {
  const { world, namespace, ports, specOf } = await scene.get();
  const told = new Map<string, string[]>();
  const note = (text: string, port: number, name: string) => {
    const said = text.replaceAll(String(port), 'PORT').replaceAll(name, 'NAME');
    told.set(said, [...(told.get(said) ?? []), name]);
  };
  await Promise.all(
    [...ports].map(async ([name, port]) => {
      const spec = { vault: specOf(port) };
      await world.client.create(CERTIFICATE_AUTHORITIES, { metadata: { namespace, name }, spec });
      await create(world, clientCertificate(namespace, `of-${name}`, { authorityRef: { name } }));
      const { reason, message } = await untilAuthority({ world, namespace }, { status: 'False' }, { name });
      note(`authority ${reason}: ${message}`, port, name);
      const status = await untilReady(world, namespace, `of-${name}`, { status: 'False', reason: 'AuthorityNotReady' });
      note(`certificate ${conditionOf(status, 'Ready')?.message}`, port, name);
      const event = await eventually(
        `an event tells of ${name}`,
        async () => (await eventsOf(world, namespace, name))[0],
      );
      note(`event ${event.reason}: ${event.note}`, port, name);
    }),
  );
  assert.is(told.size, 3, JSON.stringify([...told], undefined, 1));
  for (const [said, names] of told) {
    assert.is(names.length, ports.size, said);
    assert.match(said, "the server at 127.0.0.1:PORT can't be used as a Vault", said);
  }
});

test('the log distinguishes them', async () => {
  const { controller, namespace, ports } = await scene.get();
  const reasons = [...ports.keys()].map((name) => {
    const lines = controller.logs.filter(({ authority }) => authority === `${namespace}/${name}`);
    return String(lines.find(({ message }) => message === "the server of an authority can't be used")?.error);
  });
  for (const [index, says] of [
    'the connection was refused',
    'speaks no TLS',
    'no answer in time',
    'leads to a CA that is not trusted',
    'no JSON',
    'answered 403',
    'answered 404',
  ].entries())
    assert.match(reasons[index] ?? '', says);
});

test('the status of a ClusterCertificateAuthority distinguishes them', async () => {
  const { world, home, ports, specOf } = await scene.get();
  for (const [port, says] of [
    ['closed', 'the connection was refused'],
    ['foreign', "can't be trusted"],
    ['missing', 'was answered 404'],
  ] as const) {
    const spec = { vault: specOf(ports.get(port) ?? 0), allowedNamespaces: { names: [home] } };
    const name = `${home}-${port}`;
    await world.client.create(CLUSTER_CERTIFICATE_AUTHORITIES, { metadata: { name }, spec });
    await untilClusterAuthority(world, name, { status: 'False', says });
  }
});

test.run();

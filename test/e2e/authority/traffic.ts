import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import tls from 'node:tls';
import { onStop } from '../../teardown.ts';
import { clientCertificate, create, type MountedSecret, readSecret } from '../support/objects.ts';
import type { Pair } from '../support/openssl.ts';
import { eventually, type World } from '../support/world.ts';

/** As often as a kubelet would show a change to a Pod, were it in a hurry. */
const RELOAD_MS = 300;
/** One client is slow, though not slower than a propagation of three seconds allows. */
const SLOW = { name: 'carol', reloadMs: 2_500 };
const PAUSE_MS = 20;

/** A server and clients that shake hands all the time, both sides verified by nothing but their own Secret. */
export interface Traffic {
  handshakes(): number;
  failures(): readonly string[];
  stop(): Promise<void>;
}

/** The ClientCertificate of a server on this machine. */
export function serverCertificate(namespace: string, name: string, spec: Record<string, unknown> = {}) {
  return clientCertificate(namespace, name, {
    dnsNames: ['localhost'],
    ipAddresses: ['127.0.0.1'],
    usages: ['digital signature', 'client auth', 'server auth'],
    ...spec,
  });
}

/** Makes `server` and the clients, of a life each, and waits for their Secrets. */
export async function createMembers(
  world: World,
  namespace: string,
  clients: readonly string[],
  duration: string,
  spec: Record<string, unknown> = {},
) {
  await create(world, serverCertificate(namespace, 'server', { duration, ...spec }));
  for (const name of clients) await create(world, clientCertificate(namespace, name, { duration, ...spec }));
  for (const name of ['server', ...clients])
    await eventually(`Secret ${name}-tls is there`, () => readSecret(world, namespace, `${name}-tls`));
}

/** With a self-signed `identity` of its own, the server takes nothing but its ca.crt from its Secret: for CAs of clients alone. */
export async function startTraffic(
  world: World,
  namespace: string,
  clients: readonly string[],
  identity?: Pair,
): Promise<Traffic> {
  const stopping = new AbortController();
  const { signal } = stopping;
  const failures: string[] = [];
  let handshakes = 0;
  const running: Promise<void>[] = [];
  const loop = async (body: () => Promise<void>) => {
    while (!stopping.signal.aborted) await body();
  };

  const mounts = new Map<string, MountedSecret>();
  const reload = async (name: string) => {
    const secret = await readSecret(world, namespace, `${name}-tls`).catch(() => undefined);
    if (secret === undefined) failures.push(`${moment()} Secret ${name}-tls can't be read`);
    else mounts.set(name, secret);
  };
  for (const name of ['server', ...clients]) await reload(name);

  const own = identity && { cert: identity.certificate, key: identity.key };
  const context = () => ({ ...contextOf(mounts.get('server') as MountedSecret), ...own });
  const server = tls.createServer({ ...context(), requestCert: true, rejectUnauthorized: true }, (socket) => {
    socket.on('error', () => {});
    // In TLS 1.3 only this tells a client that its certificate was accepted.
    socket.end('welcome');
  });
  const stop = onStop(async () => {
    stopping.abort();
    await Promise.all(running);
    server.close();
  });
  server.on('tlsClientError', (error) => failures.push(`${moment()} server: ${error.message}`));
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const { port } = server.address() as AddressInfo;

  running.push(
    loop(async () => {
      await sleep(RELOAD_MS);
      await reload('server');
      server.setSecureContext(context());
    }),
  );
  for (const name of clients) {
    running.push(
      loop(async () => {
        await sleep(name === SLOW.name ? SLOW.reloadMs : RELOAD_MS, undefined, { signal }).catch(() => {});
        await reload(name);
      }),
      loop(async () => {
        await sleep(PAUSE_MS);
        try {
          await shakeHands(port, { ...contextOf(mounts.get(name) as MountedSecret), ...(own && { ca: own.cert }) });
          handshakes++;
        } catch (error) {
          failures.push(`${moment()} ${name}: ${(error as Error).message}`);
        }
      }),
    );
  }
  return {
    handshakes: () => handshakes,
    failures: () => failures,
    stop,
  };
}

function contextOf({ chain, key, bundle }: MountedSecret) {
  return { cert: chain, key, ca: bundle };
}

async function shakeHands(port: number, context: ReturnType<typeof contextOf>): Promise<void> {
  const socket = tls.connect({ host: '127.0.0.1', port, servername: 'localhost', ...context });
  try {
    const [data] = await once(socket, 'data', { signal: AbortSignal.timeout(10_000) });
    if (String(data) !== 'welcome') throw new Error(`the server said ${String(data)}`);
  } finally {
    socket.on('error', () => {});
    socket.destroy();
  }
}

function moment(): string {
  return new Date().toISOString().slice(11, 23);
}

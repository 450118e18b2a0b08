/**
 * Prints the tables of docs/guides/cost.md: what handshakes with client certificates cost nginx and its client, by key,
 * by connection and by the length of the chain. `make bench-handshakes`
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { KeySpec } from '../../../src/pki/keys.ts';
import { installNginx } from '../../interop/servers/nginx.ts';
import { type Authority, authority, SERVER } from '../../interop/support/authority.ts';
import { CHAINS, type ChainLength } from '../../interop/support/cells.ts';
import { request } from '../../interop/support/request.ts';
import { startStage } from '../../interop/support/stage.ts';
import { P256 } from '../../pki/make.ts';
import { onStop, stopAll } from '../../teardown.ts';
import { median } from '../statistics.ts';
import { handshakeBytes, onlyChildOf, requestCost, type Target } from './load.ts';
import { type Bytes, CLIENT_KEYS, CONNECTIONS, chainsTable, connectionsTable, keysTable, markdown } from './tables.ts';

type ClientFiles = Pick<Target, 'client' | 'intermediates'>;

const ROUNDS = 3;
const REQUESTS = 500;

const nginx = await installNginx('nginx.conf', {
  replacements: {
    'error_log stderr info': 'error_log stderr error',
    'access_log /dev/stdout clients': 'access_log off',
    // For clients without a certificate.
    'ssl_verify_client on': 'ssl_verify_client optional',
    'subject=$ssl_client_s_dn\\nserial=$ssl_client_serial':
      'verify=$ssl_client_verify reused=$ssl_session_reused request=$connection_requests',
  },
});

try {
  console.log(`nginx ${nginx.version}, one worker; client curl; TLS 1.3; server key ECDSA P-256\n`);
  const { issue, target } = await serve(2);
  const clients = await all(CLIENT_KEYS, async (key) => ({ ...target, ...(await issue(key)) }));
  console.log(`${markdown(keysTable(await costs(clients)))}\n`);

  const p256 = { ...target, ...(await issue(P256)) };
  const rounds = await repeat(() => all(CONNECTIONS, (connection) => requestCost(p256, connection, REQUESTS)));
  console.log(`${markdown(connectionsTable(medians(rounds)))}\n`);

  const chains = await all(CHAINS, async (length) => {
    const served = await serve(length);
    return { ...served.target, ...(await served.issue(P256)) };
  });
  console.log(markdown(chainsTable(await costs(chains))));
} finally {
  await stopAll();
}

/** An nginx whose own certificate and whose clients' certificates come with a chain of that length. */
async function serve(length: ChainLength) {
  const ca = await authority(length);
  const { server, mount } = await startStage(nginx, await ca.issue(SERVER));
  const target = { port: server.port, workerPid: onlyChildOf(server.pid), ca: join(mount.directory, 'ca.crt') };
  return { target, issue: (key: KeySpec | undefined) => clientFiles(ca, key, server.port) };
}

/** Throws where nginx does not accept the certificate. */
async function clientFiles(ca: Authority, key: KeySpec | undefined, port: number): Promise<ClientFiles> {
  if (key === undefined) return {};
  const client = await ca.issue({ key });
  const { status } = await request({ port, ca: ca.ca, client });
  if (status !== 200) throw new Error(`nginx answers ${status} to a client with ${JSON.stringify(key)}`);
  const folder = mkdtempSync(join(tmpdir(), 'certwheel-bench-'));
  onStop(() => rmSync(folder, { recursive: true, force: true }));
  writeFileSync(join(folder, 'tls.crt'), client.certificate);
  writeFileSync(join(folder, 'tls.key'), client.key, { mode: 0o600 });
  const [, ...above] = client.certificate.split(/(?=-----BEGIN)/);
  const intermediates = join(folder, 'intermediates.pem');
  writeFileSync(intermediates, above.join(''));
  return { client: folder, intermediates: above.length === 0 ? undefined : intermediates };
}

async function costs(targets: readonly Target[]) {
  const cpu = medians(await repeat(() => all(targets, (target) => requestCost(target, 'full handshake', REQUESTS))));
  const bytes = await all(targets, handshakeBytes);
  return cpu.map((cost, at) => ({ ...cost, ...(bytes[at] as Bytes) }));
}

/** One after the other. */
async function all<From, To>(values: readonly From[], make: (value: From) => Promise<To>): Promise<To[]> {
  const made: To[] = [];
  for (const value of values) made.push(await make(value));
  return made;
}

/** The rounds go through all cases in turn, so that other work on the machine meets each of them. */
function repeat<Round>(measure: () => Promise<Round>): Promise<Round[]> {
  return all(Array.from({ length: ROUNDS }), measure);
}

/** Of each figure of each case. */
function medians<Cost extends object>(rounds: readonly (readonly Cost[])[]): Cost[] {
  return (rounds[0] ?? []).map((first, at) => {
    const figure = (name: string) =>
      median(rounds.map((round) => (round[at] as Record<string, number>)[name] ?? Number.NaN));
    return Object.fromEntries(Object.keys(first).map((name) => [name, figure(name)])) as Cost;
  });
}

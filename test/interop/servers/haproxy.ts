import { execFile } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { debianLibraries, unpackDebian } from '../../programs/debian.ts';
import { unavailable } from '../support/available.ts';
import { configuration } from '../support/configuration.ts';
import { field } from '../support/identity.ts';
import type { RunningServer, ServerProgram, ServerReader, ServerSetup } from '../support/reader.ts';
import { startServer } from '../support/server-process.ts';

const run = promisify(execFile);

export const haproxy: ServerReader = {
  name: 'haproxy',
  title: 'HAProxy',
  source: 'Debian 12',
  reloads: '`SIGUSR2` to the master process (`haproxy -W`), after `haproxy -c`',
  install: () => installHaproxy(),
  identity: ({ body }) => ({ subject: field(body, 'subject'), serial: field(body, 'serial').toLowerCase() }),
  refuses: {
    none: { seen: 'alert certificate required', log: /peer did not return a certificate/ },
    expired: { seen: 'alert certificate expired', log: /verify=10 / },
    'of another CA': { seen: 'alert unknown ca', log: /ca_verify=20 / },
    'for server auth alone': { seen: 'alert unsupported certificate', log: /verify=26 / },
  },
  mismatch: /inconsistencies between private key and certificate loaded/,
};

type Replacements = Readonly<Record<string, string>>;

/** With what is to be replaced in its configuration besides port and paths. */
export async function installHaproxy(replacements: Replacements = {}): Promise<ServerProgram> {
  const libraries = ['liblua5.3-0', 'libopentracing-c-wrapper0', 'libopentracing1', 'libpcre2-8-0', 'libssl3'];
  const folder = await unpackDebian('haproxy', ...libraries).catch(unavailable);
  const program = join(folder, 'usr/sbin/haproxy');
  const environment = debianLibraries(folder);
  const { stdout } = await run(program, ['-vv'], { env: { ...process.env, ...environment } });
  const [, version = ''] = /HAProxy version ([\d.]+)/.exec(stdout) ?? [];
  const [, openssl = ''] = /Running on OpenSSL version : OpenSSL (\S+)/.exec(stdout) ?? [];
  return {
    version: `${version}, OpenSSL ${openssl}`,
    start: (setup) => startHaproxy({ program, environment, replacements }, setup),
  };
}

interface Installed {
  readonly program: string;
  readonly environment: Replacements;
  readonly replacements: Replacements;
}

async function startHaproxy(
  { program, environment, replacements: more }: Installed,
  { directory, clientCa, port, folder }: ServerSetup,
): Promise<RunningServer> {
  const config = join(folder, 'haproxy.cfg');
  const replacements = {
    ...more,
    '/run/haproxy': folder,
    '/tls/tls-combined.pem': `${directory}/tls-combined.pem`,
    '/client-ca': clientCa,
    'bind :8443': `bind 127.0.0.1:${port}`,
  };
  writeFileSync(config, configuration('haproxy/haproxy.cfg', replacements));
  const server = await startServer({
    name: 'haproxy',
    program,
    args: ['-W', '-db', '-f', config],
    environment,
    folder,
    port,
  });
  return {
    port,
    pid: server.pid,
    reload: async () => {
      await run(program, ['-c', '-f', config], { env: { ...process.env, ...environment } });
      server.signal('SIGUSR2');
    },
    log: server.log,
    stop: server.stop,
  };
}

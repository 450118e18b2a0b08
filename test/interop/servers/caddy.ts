import { execFile } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { ensureProgram } from '../../programs/programs.ts';
import { unavailableBuild } from '../support/available.ts';
import { configuration } from '../support/configuration.ts';
import type { RunningServer, ServerProgram, ServerReader, ServerSetup } from '../support/reader.ts';
import { startServer } from '../support/server-process.ts';

const run = promisify(execFile);

export const caddy: ServerReader = {
  name: 'caddy',
  title: 'Caddy',
  source: 'built from source',
  reloads: '`caddy reload --force`',
  install,
  identity: ({ headers }) => ({
    subject: String(headers['x-client-subject']),
    // In decimal digits.
    serial: BigInt(String(headers['x-client-serial'])).toString(16),
  }),
  refuses: {
    none: { seen: 'alert certificate required', log: /tls: client didn't provide a certificate/ },
    expired: { seen: 'alert certificate expired', log: /certificate has expired or is not yet valid/ },
    'of another CA': { seen: 'alert unknown ca', log: /certificate signed by unknown authority/ },
    'for server auth alone': { seen: 'alert bad certificate', log: /certificate specifies an incompatible key usage/ },
  },
  // Go's HTTP server ends connections whose request arrives after the old server has begun to stop (net/http: conn.serve).
  loses: {
    message: /^(connection reset|socket hang up)$/,
    note: 'works; connections that were opened right before a reload may end without an answer',
  },
  mismatch: /private key does not match public key/,
};

async function install(): Promise<ServerProgram> {
  const program = await ensureProgram('caddy').catch(unavailableBuild);
  const { stdout } = await run('go', ['version', '-m', program]);
  const [, version = ''] = /\tgithub.com\/caddyserver\/caddy\/v2\tv(\S+)/.exec(stdout) ?? [];
  const [, go = ''] = /: go(\S+)/.exec(stdout) ?? [];
  return { version: `${version}, Go ${go}`, start: (setup) => startCaddy(program, setup) };
}

async function startCaddy(program: string, { directory, clientCa, port, folder }: ServerSetup): Promise<RunningServer> {
  const config = join(folder, 'Caddyfile');
  const replacements = {
    '/run/caddy': folder,
    '/tls/': `${directory}/`,
    '/client-ca': clientCa,
    ':8443 {': `:${port} {\n\tbind 127.0.0.1`,
  };
  writeFileSync(config, configuration('caddy/Caddyfile', replacements));
  // It keeps its last configuration and a certificate store in the home of its user.
  const environment = { XDG_DATA_HOME: folder, XDG_CONFIG_HOME: folder, HOME: folder };
  const args = ['--config', config, '--adapter', 'caddyfile'];
  const server = await startServer({
    name: 'caddy',
    program,
    args: ['run', ...args],
    environment,
    folder,
    port,
  });
  return {
    port,
    pid: server.pid,
    reload: async () => {
      const admin = ['--address', `unix/${join(folder, 'admin.sock')}`];
      await run(program, ['reload', '--force', ...admin, ...args], { env: { ...process.env, ...environment } });
    },
    log: server.log,
    stop: server.stop,
  };
}

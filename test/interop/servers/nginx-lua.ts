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

const MODULES = ['libnginx-mod-http-lua', 'libnginx-mod-http-ndk', 'lua-resty-core', 'lua-resty-lrucache'];
const LIBRARIES = ['libluajit2-5.1-2', 'libpcre2-8-0', 'libpcre3', 'libssl3'];

/** nginx with the Lua module and the functions by which Apache APISIX verifies clients. */
export const nginxLua: ServerReader = {
  name: 'nginx-lua',
  title: 'nginx with Lua',
  source: 'Debian 12',
  reloads: 'by itself: the files are read in each handshake',
  install,
  identity: ({ body }) => ({ subject: field(body, 'subject'), serial: field(body, 'serial').toLowerCase() }),
  refuses: {
    none: { seen: 'HTTP 400: client certificate: NONE' },
    expired: { seen: 'HTTP 400: client certificate: FAILED:certificate has expired' },
    'of another CA': { seen: 'HTTP 400: client certificate: FAILED:unable to get local issuer certificate' },
    'for server auth alone': { seen: 'HTTP 400: client certificate: FAILED:unsuitable certificate purpose' },
  },
  mismatch: /SSL_CTX_use_PrivateKey\(.*?\) failed \(SSL: error:\w+:.*?:(key values mismatch)\)/,
  mismatchOnReload: 'alert internal error',
};

async function install(): Promise<ServerProgram> {
  const folder = await unpackDebian('nginx', ...MODULES, ...LIBRARIES).catch(unavailable);
  const program = join(folder, 'usr/sbin/nginx');
  const { LD_LIBRARY_PATH: libraries = '' } = debianLibraries(folder);
  // libpcre3 is the one package that keeps its library in /lib.
  const environment = { LD_LIBRARY_PATH: `${libraries}:${libraries.replace('/usr/lib/', '/lib/')}` };
  const { stderr } = await promisify(execFile)(program, ['-V'], { env: { ...process.env, ...environment } });
  const [, version = ''] = /nginx\/(\S+)/.exec(stderr) ?? [];
  const [, openssl = ''] = /running with OpenSSL (\S+)/.exec(stderr) ?? /built with OpenSSL (\S+)/.exec(stderr) ?? [];
  return {
    version: `${version}, OpenSSL ${openssl}`,
    start: (setup) => start({ program, environment, root: folder }, setup),
  };
}

interface Installed {
  readonly program: string;
  readonly environment: Readonly<Record<string, string>>;
  /** The unpacked packages. */
  readonly root: string;
}

async function start(
  { program, environment, root }: Installed,
  { directory, clientCa, port, folder }: ServerSetup,
): Promise<RunningServer> {
  const config = join(folder, 'nginx.conf');
  const replacements = {
    'modules/': `${join(root, 'usr/lib/nginx/modules')}/`,
    '/usr/share/lua': join(root, 'usr/share/lua'),
    '/run/nginx': folder,
    '/tls/': `${directory}/`,
    '/client-ca': clientCa,
    'listen 8443': `listen 127.0.0.1:${port}`,
  };
  writeFileSync(config, configuration('apisix/nginx.conf', replacements));
  const args = ['-c', config, '-g', 'daemon off;'];
  const server = await startServer({ name: 'nginx', program, args, environment, folder, port });
  return { port, pid: server.pid, reload: async () => {}, log: server.log, stop: server.stop };
}

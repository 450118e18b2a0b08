import { execFile } from 'node:child_process';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { debianLibraries, unpackDebian } from '../../programs/debian.ts';
import { unavailable } from '../support/available.ts';
import { configuration } from '../support/configuration.ts';
import type { RunningServer, ServerProgram, ServerReader, ServerSetup } from '../support/reader.ts';
import { answers, startServer } from '../support/server-process.ts';

const run = promisify(execFile);

export const apache: ServerReader = {
  name: 'apache',
  title: 'Apache httpd',
  source: 'Debian 12',
  reloads: '`SIGUSR1` to the main process, after `apache2 -t`',
  install: () => installApache(),
  identity: ({ headers }) => ({
    subject: String(headers['x-client-subject']),
    serial: String(headers['x-client-serial']).toLowerCase(),
  }),
  refuses: {
    none: { seen: 'alert certificate required', log: /peer did not return a certificate/ },
    expired: {
      seen: 'alert certificate expired',
      log: /Certificate Verification: Error \(10\): certificate has expired/,
    },
    'of another CA': {
      seen: 'alert unknown ca',
      log: /Certificate Verification: Error \(20\): unable to get local issuer certificate/,
    },
    'for server auth alone': {
      seen: 'alert unsupported certificate',
      log: /Certificate Verification: Error \(26\): unsuitable certificate purpose/,
    },
  },
  mismatch: /AH02565: Certificate and private key .* do not match/,
  // And `apache2 -t` doesn't notice: it doesn't load the files.
  endsOnMismatch: true,
};

type Replacements = Readonly<Record<string, string>>;

/** With what is to be replaced in its configuration besides port and paths. */
export async function installApache(replacements: Replacements = {}): Promise<ServerProgram> {
  const libraries = ['libapr1', 'libaprutil1', 'libbrotli1', 'libnghttp2-14', 'libpcre2-8-0', 'libssl3'];
  const folder = await unpackDebian('apache2-bin', ...libraries).catch(unavailable);
  const program = join(folder, 'usr/sbin/apache2');
  const environment = debianLibraries(folder);
  const { stdout } = await run(program, ['-v'], { env: { ...process.env, ...environment } });
  const [, version = ''] = /Apache\/(\S+)/.exec(stdout) ?? [];
  const modules = join(folder, 'usr/lib/apache2');
  return { version, start: (setup) => startApache({ program, environment, modules, replacements }, setup) };
}

interface Installed {
  readonly program: string;
  readonly environment: Replacements;
  readonly modules: string;
  readonly replacements: Replacements;
}

async function startApache(
  { program, environment, modules, replacements: more }: Installed,
  { directory, clientCa, port, folder }: ServerSetup,
): Promise<RunningServer> {
  const documents = join(folder, 'html');
  mkdirSync(documents);
  writeFileSync(join(documents, 'index.html'), 'hello\n');
  const config = join(folder, 'httpd.conf');
  const replacements = {
    ...more,
    '/usr/lib/apache2': modules,
    '/run/apache2': folder,
    '/var/www/html': documents,
    '/tls/': `${directory}/`,
    '/client-ca': clientCa,
    'Listen 8443': `Listen 127.0.0.1:${port}`,
    '*:8443': `*:${port}`,
  };
  writeFileSync(config, configuration('apache/httpd.conf', replacements));
  const server = await startServer({
    name: 'apache',
    program,
    args: ['-f', config, '-D', 'FOREGROUND'],
    environment,
    folder,
    port,
    // The port is open before the certificate is loaded.
    isReady: async () => existsSync(join(folder, 'httpd.pid')) && (await answers(port)),
  });
  return {
    port,
    pid: server.pid,
    reload: async () => {
      await run(program, ['-f', config, '-t'], { env: { ...process.env, ...environment } });
      server.signal('SIGUSR1');
    },
    log: server.log,
    stop: server.stop,
  };
}

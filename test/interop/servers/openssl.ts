import { execFile } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { notOnPath } from '../support/available.ts';
import type { RunningServer, ServerProgram, ServerReader, ServerSetup } from '../support/reader.ts';
import { startServer } from '../support/server-process.ts';

const run = promisify(execFile);

/** For tests of a certificate by hand; it handles one connection at a time. */
export const openssl: ServerReader = {
  name: 'openssl',
  title: 'openssl s_server',
  source: 'the machine',
  reloads: undefined,
  install: () => installOpenssl(),
  identity: ({ body }) => {
    const [, subject = ''] = /Subject: (.*)/.exec(body) ?? [];
    const [, serial = ''] = /Serial Number:\s*([0-9a-f:]+)/.exec(body) ?? [];
    return { subject, serial: serial.replaceAll(':', '') };
  },
  refuses: {
    none: { seen: 'alert certificate required', log: /peer did not return a certificate/ },
    expired: { seen: 'alert certificate expired', log: /verify error:num=10:certificate has expired/ },
    'of another CA': { seen: 'alert unknown ca', log: /verify error:num=20:unable to get local issuer certificate/ },
    'for server auth alone': {
      seen: 'alert unsupported certificate',
      log: /verify error:num=26:unsuitable certificate purpose/,
    },
  },
  mismatch: /key values mismatch/,
};

/** With more arguments. */
export async function installOpenssl(more: readonly string[] = []): Promise<ServerProgram> {
  const { stdout } = await run('openssl', ['version']).catch(notOnPath('openssl'));
  return { version: stdout.split(' ')[1] ?? '', start: (setup) => start(setup, more) };
}

async function start(
  { directory, clientCa, port, folder }: ServerSetup,
  more: readonly string[],
): Promise<RunningServer> {
  // It takes the leaf from the one file and the intermediates from the other.
  const intermediates = join(folder, 'intermediates.pem');
  const [, ...above] = readFileSync(join(directory, 'tls.crt'), 'utf8').split(/(?=-----BEGIN)/);
  writeFileSync(intermediates, above.join(''));
  const server = await startServer({
    name: 'openssl',
    program: 'openssl',
    args: [
      's_server',
      ...['-accept', `127.0.0.1:${port}`, '-www'],
      ...['-cert', join(directory, 'tls.crt'), '-key', join(directory, 'tls.key')],
      ...(above.length === 0 ? [] : ['-cert_chain', intermediates]),
      ...['-CAfile', clientCa, '-Verify', '3', '-verify_return_error'],
      ...more,
    ],
    folder,
    port,
  });
  return {
    port,
    pid: server.pid,
    reload: async () => {
      throw new Error('it has no reload');
    },
    log: server.log,
    stop: server.stop,
  };
}

import type { PeerSetup } from '../support/client.ts';
import { goProgram, output } from '../support/programs.ts';
import type { RunningServer, ServerProgram, ServerReader, ServerSetup } from '../support/reader.ts';
import { startServer } from '../support/server-process.ts';

export const go: ServerReader = {
  name: 'go',
  title: 'Go net/http',
  source: 'built from source',
  reloads: '`GetConfigForClient` reads the files for each new connection',
  install: installGo(),
  identity: ({ body }) => {
    const { commonName, serial } = JSON.parse(body);
    return { subject: commonName, serial };
  },
  refuses: {
    none: {
      seen: 'alert certificate required',
      log: /TLS handshake error from \S+: tls: client didn't provide a certificate/,
    },
    expired: {
      seen: 'alert certificate expired',
      log: /TLS handshake error from \S+: tls: failed to verify certificate: x509: certificate has expired or is not yet valid: current time \S+ is after/,
    },
    'of another CA': {
      seen: 'alert unknown ca',
      log: /TLS handshake error from \S+: tls: failed to verify certificate: x509: certificate signed by unknown authority/,
    },
    'for server auth alone': {
      seen: 'alert bad certificate',
      log: /TLS handshake error from \S+: tls: failed to verify certificate: x509: certificate specifies an incompatible key usage/,
    },
  },
  mismatch: /tls: private key does not match public key/,
};

/** With more flags. */
export function installGo(...more: readonly string[]): () => Promise<ServerProgram> {
  return async () => {
    const [version = ''] = (await output([await goProgram(), 'version'])).split(',');
    return { version, start: (setup) => startGo('https-server', setup, ...more) };
  };
}

/** Starts a server of the `interop` program; `more` are flags. */
export async function startGo(
  command: 'https-server' | 'grpc-server',
  { directory, port, folder }: Omit<ServerSetup, 'clientCa'>,
  ...more: readonly string[]
): Promise<RunningServer> {
  const server = await startServer({
    name: command,
    program: await goProgram(),
    args: [command, '-folder', directory, '-address', `127.0.0.1:${port}`, ...more],
    folder,
    port,
  });
  return { ...server, port, reload: async () => {} };
}

/** The same as the peer of a client. */
export function startGoPeer(
  command: 'https-server' | 'grpc-server',
  { tls, maxAge, linger, ...setup }: PeerSetup,
): Promise<RunningServer> {
  const version = tls === undefined ? [] : ['-tls', tls];
  return startGo(command, setup, '-max-connection-age', maxAge, '-linger', linger, ...version);
}

import { nodeCommand } from '../support/programs.ts';
import type { RunningServer, ServerReader, ServerSetup } from '../support/reader.ts';
import { startServer } from '../support/server-process.ts';

export const node: ServerReader = {
  name: 'node',
  title: 'Node.js https',
  source: 'npm',
  reloads: '`setSecureContext` when the link `..data` has changed, checked each second',
  install: async () => ({
    version: `${process.versions.node}, OpenSSL ${process.versions.openssl}`,
    start: startNode,
  }),
  identity: ({ body }) => {
    const { commonName, serial } = JSON.parse(body);
    return { subject: commonName, serial };
  },
  refuses: {
    none: { seen: 'connection closed', log: /client \S+ refused: UNABLE_TO_GET_ISSUER_CERT$/m },
    expired: { seen: 'connection closed', log: /client \S+ refused: CERT_HAS_EXPIRED/ },
    'of another CA': { seen: 'connection closed', log: /client \S+ refused: UNABLE_TO_GET_ISSUER_CERT_LOCALLY/ },
    'for server auth alone': { seen: 'connection closed', log: /client \S+ refused: INVALID_PURPOSE/ },
  },
  mismatch: /ERR_OSSL_X509_KEY_VALUES_MISMATCH/,
};

async function startNode({ directory, port, folder }: ServerSetup): Promise<RunningServer> {
  const [program, ...args] = nodeCommand('https-server.ts');
  const server = await startServer({
    name: 'node',
    program,
    args: [...args, '--folder', directory, '--port', String(port)],
    folder,
    port,
  });
  return { ...server, port, reload: async () => {} };
}

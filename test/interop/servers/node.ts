import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { nodeCommand } from '../support/programs.ts';
import type { RunningServer, ServerProgram, ServerReader, ServerSetup } from '../support/reader.ts';
import { startServer } from '../support/server-process.ts';

const SESSIONS = '{ sessionTimeout: 300 }';

export const node: ServerReader = {
  name: 'node',
  title: 'Node.js https',
  source: 'npm',
  reloads: '`setSecureContext` when the link `..data` has changed, checked each second',
  install: installNode(),
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

/** With another object in place of its options for sessions. */
export function installNode(sessions = SESSIONS): () => Promise<ServerProgram> {
  return async () => ({
    version: `${process.versions.node}, OpenSSL ${process.versions.openssl}`,
    start: (setup) => startNode(sessions, setup),
  });
}

async function startNode(sessions: string, { directory, port, folder }: ServerSetup): Promise<RunningServer> {
  const [program, source = ''] = nodeCommand('https-server.ts');
  const script = join(folder, 'https-server.ts');
  cpSync(join(dirname(source), 'mounted.ts'), join(folder, 'mounted.ts'));
  writeFileSync(script, replaced(readFileSync(source, 'utf8'), sessions));
  const server = await startServer({
    name: 'node',
    program,
    args: [script, '--folder', directory, '--port', String(port)],
    folder,
    port,
  });
  return { ...server, port, reload: async () => {} };
}

function replaced(text: string, sessions: string): string {
  if (!text.includes(SESSIONS)) throw new Error(`https-server.ts does not hold ${SESSIONS}`);
  return text.replace(SESSIONS, sessions);
}

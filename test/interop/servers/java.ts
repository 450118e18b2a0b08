import { join } from 'node:path';
import { keyStores, passwordFile } from '../support/key-stores.ts';
import { javaCommand, output } from '../support/programs.ts';
import type { RunningServer, ServerProgram, ServerReader, ServerSetup } from '../support/reader.ts';
import { startServer } from '../support/server-process.ts';

export const java: ServerReader = {
  name: 'java',
  title: 'Java HttpsServer, PKCS#12',
  source: 'OpenJDK',
  reloads: 'a new SSLContext when the link `..data` has changed, checked each second',
  outputs: (credentials) => keyStores(credentials),
  install: installJava(),
  identity: ({ body }) => JSON.parse(body),
  refuses: {
    none: { seen: 'connection closed', log: /SSLHandshakeException: Empty client certificate chain/ },
    expired: { seen: 'connection closed', log: /CertificateExpiredException: NotAfter/ },
    'of another CA': {
      seen: 'connection closed',
      log: /SSLHandshakeException: PKIX path building failed: .*unable to find valid certification path to requested target/,
    },
    'for server auth alone': {
      seen: 'connection closed',
      log: /SSLHandshakeException: Extended key usage does not permit use for TLS client authentication/,
    },
  },
  mismatch: 'not noticed',
};

const LOGGING = join(import.meta.dirname, '../conf/java/logging.properties');

/** With more flags of the JVM. */
export function installJava(...flags: readonly string[]): () => Promise<ServerProgram> {
  return async () => ({
    version: (await output([...(await javaCommand()), 'version'])).replace('Java ', ''),
    start: (setup) => startJava(flags, setup),
  });
}

async function startJava(flags: readonly string[], { directory, port, folder }: ServerSetup): Promise<RunningServer> {
  const [program, ...args] = await javaCommand();
  const server = await startServer({
    name: 'java',
    program,
    args: [
      `-Djava.util.logging.config.file=${LOGGING}`,
      ...flags,
      ...args,
      'server',
      directory,
      'pkcs12',
      passwordFile(),
      String(port),
    ],
    folder,
    port,
  });
  return { ...server, port, reload: async () => {} };
}

import { readlinkSync } from 'node:fs';
import { join } from 'node:path';
import { psql as ask, OTHER_CURVES, startPostgresql } from '../servers/postgresql.ts';
import type { ClientReader, Question } from '../support/client.ts';
import { postgresql, SERVER_USER } from '../support/postgresql.ts';

export const psql: ClientReader = {
  name: 'client-psql',
  title: 'psql (libpq)',
  source: 'Debian 12',
  reloads: 'libpq reads the files for each new connection',
  startServer: ({ tls, ...setup }) =>
    startPostgresql(
      setup,
      tls === undefined ? '' : `ssl_min_protocol_version = 'TLSv${tls}'\nssl_max_protocol_version = 'TLSv${tls}'\n`,
    ),
  permissions: { defaultMode: 0o640, fsGroup: SERVER_USER },
  install: async () => ({
    version: (await postgresql()).version,
    start: async () => ({ ask: query, stop: async () => {} }),
  }),
  refusedCells: [{ ...OTHER_CURVES, which: (cell) => cell.role === 'presents' && OTHER_CURVES.which(cell) }],
  failures: {
    expired: /alert certificate expired/,
    'not yet valid': /alert bad certificate/,
    'unknown CA': /alert unknown ca/,
    'for server auth alone': /alert unsupported certificate/,
    'key mismatch': /certificate present, but not private key file|key values mismatch/,
    'wrong format': /could not read certificate file ".*": no start line/,
    'server: expired': /SSL error: certificate verify failed/,
    'server: not yet valid': /SSL error: certificate verify failed/,
    'server: unknown CA': /SSL error: certificate verify failed/,
    'server: another name': /server certificate for "other.shop.svc" does not match host name "localhost"/,
    'server: for client auth alone': /SSL error: certificate verify failed/,
  },
};

async function query({ port, directory }: Question) {
  // All files of one version, as load.sh does for the server.
  const current = () => join(directory, readlinkSync(join(directory, '..data')));
  for (;;) {
    const folder = current();
    try {
      const { subject, serial, protocol } = JSON.parse(await ask({ port, folder, user: 'app' }));
      const commonName = /CN=([^/]*)/.exec(subject)?.[1];
      const body = { commonName, serial: BigInt(serial).toString(16), protocol: protocol.replace('TLSv', 'TLS ') };
      return { status: 200, body: JSON.stringify(body) };
    } catch (error) {
      // The kubelet may have removed the folder meanwhile.
      if (folder === current()) return { error: (error as Error).message };
    }
  }
}

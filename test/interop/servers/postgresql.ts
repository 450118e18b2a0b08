import { execFile } from 'node:child_process';
import { chmodSync, chownSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect as connectTcp } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { connect as connectTls } from 'node:tls';
import { promisify } from 'node:util';
import type { TlsVersion } from '../support/cells.ts';
import { configuration } from '../support/configuration.ts';
import { asServerUser, postgresql as installed, SERVER_USER } from '../support/postgresql.ts';
import type { ExpectedCell, RunningServer, ServerReader, ServerSetup } from '../support/reader.ts';
import type { Answer, Call } from '../support/request.ts';
import { runScript, startServer } from '../support/server-process.ts';

const run = promisify(execFile);

/** PostgreSQL 16 and later log the reason and the certificate too. */
const VERIFY_FAILED = /could not accept SSL connection: certificate verify failed/;

/** The setting ssl_ecdh_curve holds one curve, P-256 by default, and in TLS 1.2 it counts for certificates too. */
export const OTHER_CURVES: ExpectedCell = {
  which: ({ key, tls }) => key.algorithm === 'ECDSA' && key.size !== 256 && tls === '1.2',
  message: /alert illegal parameter/,
};

export const postgresql: ServerReader = {
  name: 'postgresql',
  title: 'PostgreSQL',
  source: 'Debian 12',
  reloads: '`SIGHUP`',
  permissions: { defaultMode: 0o640, fsGroup: SERVER_USER },
  install: async () => ({ version: (await installed()).version, start: startPostgresql }),
  request,
  identity: ({ body }) => {
    const { subject, serial } = JSON.parse(body);
    return { subject, serial };
  },
  refuses: {
    // The certificate is asked for by the method of pg_hba.conf, after the handshake.
    none: {
      seen: 'FATAL:  connection requires a valid client certificate',
      log: /FATAL: {2}connection requires a valid client certificate/,
    },
    expired: { seen: 'alert certificate expired', log: VERIFY_FAILED },
    'of another CA': { seen: 'alert unknown ca', log: VERIFY_FAILED },
    'for server auth alone': { seen: 'alert unsupported certificate', log: VERIFY_FAILED },
  },
  refusedCells: [{ ...OTHER_CURVES, which: (cell) => cell.role === 'verifies' && OTHER_CURVES.which(cell) }],
  mismatch:
    /FATAL: {2}could not load private key file "\S+": (key values mismatch)|FATAL: {2}check of private key failed: key values mismatch/,
};

export async function startPostgresql({ directory, port, folder }: ServerSetup, settings = ''): Promise<RunningServer> {
  const { programs, environment, createData } = await installed();
  for (const each of [dirname(directory), dirname(folder)]) chmodSync(each, 0o755);
  chownSync(folder, SERVER_USER, SERVER_USER);
  const data = join(folder, 'data');
  await createData(data);
  const conf = (name: string) => join(folder, name);
  const paths = { '/run/postgresql': folder };
  const etc = {
    '/etc/postgresql/pg_hba.conf': conf('pg_hba.conf'),
    '/etc/postgresql/pg_ident.conf': conf('pg_ident.conf'),
  };
  const main = configuration('postgresql/postgresql.conf', { ...paths, ...etc, '5432': port, "'*'": "'127.0.0.1'" });
  writeFileSync(conf('postgresql.conf'), `${main}${settings}`);
  writeFileSync(conf('pg_hba.conf'), configuration('postgresql/pg_hba.conf', {}));
  // The certificates of the tests have names of their own.
  writeFileSync(
    conf('pg_ident.conf'),
    configuration('postgresql/pg_ident.conf', { 'reporting-job           reporting': '/^peer-.*$  app' }),
  );
  writeFileSync(conf('load.sh'), configuration('postgresql/load.sh', { ...paths, '/tls/': `${directory}/` }));
  const load = () => runScript(conf('load.sh'), { folder });
  await load();
  const [program, ...args] = asServerUser([
    `${programs}/postgres`,
    '-D',
    data,
    '-c',
    `config_file=${conf('postgresql.conf')}`,
  ]);
  const isReady = async () =>
    readFileSync(join(folder, 'postgresql.log'), 'utf8').includes('ready to accept connections');
  const server = await startServer({ name: 'postgresql', program, args, environment, folder, port, isReady });
  return { ...server, port, reload: load };
}

/** What the server says of the connection; the serial number is decimal. */
export const WHO = `select json_build_object('user', current_user, 'subject', client_dn, 'serial', client_serial::text,
  'protocol', version) from pg_stat_ssl where pid = pg_backend_pid()`;

/** One query over a new connection, by psql. libpq doesn't tell the server's certificate: that is asked for apart. */
async function request({ port, ca, client, tls, settleMs }: Call): Promise<Answer> {
  const folder = mkdtempSync(join(tmpdir(), 'certwheel-interop-'));
  try {
    const file = (name: string, text: string | undefined) => {
      if (text !== undefined) writeFileSync(join(folder, name), text, { mode: 0o600 });
    };
    file('ca.crt', ca);
    file('tls.crt', client?.certificate);
    file('tls.key', client?.key);
    const ask = () => psql({ port, folder, user: 'app', tls });
    for (let tries = 0; settleMs && tries < 50; tries++)
      // In TLS 1.3 the reset of the connection may overtake the alert.
      if (!(await ask().then(String, String)).match(/closed the connection unexpectedly|reset by peer/)) break;
    const { serial, protocol, ...rest } = JSON.parse(await ask());
    const body = JSON.stringify({ ...rest, serial: BigInt(serial).toString(16) });
    // PostgreSQL issues no session tickets.
    const connection = { protocol, session: undefined, isResumed: false };
    return { status: 200, headers: {}, body, serverSerial: await serverSerial(port, ca), ...connection };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** The request for TLS of PostgreSQL's protocol: its length, and a code in place of a version. */
const SSL_REQUEST = Buffer.from('0000000804d2162f', 'hex');

async function serverSerial(port: number, ca: string): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const plain = connectTcp(port, '127.0.0.1', () => plain.write(SSL_REQUEST));
  plain.on('error', reject);
  plain.once('data', () => {
    const socket = connectTls({ socket: plain, servername: 'localhost', ca }, () => {
      resolve(socket.getPeerX509Certificate()?.serialNumber.toLowerCase() ?? '');
      socket.destroy();
    });
    socket.on('error', reject);
  });
  return promise.finally(() => plain.destroy());
}

export interface PsqlCall {
  readonly port: number;
  /** Holds tls.crt, tls.key and ca.crt. */
  readonly folder: string;
  readonly user: string;
  readonly tls?: TlsVersion | undefined;
}

/** What psql prints for `query`. Throws an Error with its message. */
export async function psql({ port, folder, user, tls }: PsqlCall, query = WHO): Promise<string> {
  const { programs, environment } = await installed();
  const version = tls === undefined ? '' : ` ssl_min_protocol_version=TLSv${tls} ssl_max_protocol_version=TLSv${tls}`;
  const text = configuration('postgresql/connection.txt', {
    'db.shop.svc': 'localhost',
    5432: port,
    '/tls/': `${folder}/`,
  });
  const connection = `${text.trim().replaceAll('\n', ' ')} user=${user}${version}`;
  const env = { ...process.env, ...environment };
  try {
    const { stdout } = await run(`${programs}/psql`, ['-XAtc', query, connection], { env });
    return stdout;
  } catch (error) {
    const { stderr = String(error) } = error as { stderr?: string };
    const words = stderr.replace(/^psql: error: /, '').replaceAll(/connection to server at .*? failed: /g, '');
    throw new Error(words.trim(), { cause: error });
  }
}

/** PostgreSQL's programs, of Debian's packages. */
import { execFile } from 'node:child_process';
import { chmodSync, chownSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { lazily } from '../../e2e/support/lazily.ts';
import { debianLibraries, unpackDebian } from '../../programs/debian.ts';
import { onStop } from '../../teardown.ts';
import { Unavailable, unavailable } from './available.ts';

const run = promisify(execFile);

/** `nobody`: PostgreSQL refuses to run as root. */
export const SERVER_USER = 65534;

/** A command as that user. */
export const asServerUser = (command: readonly string[]): readonly [string, ...string[]] => [
  'setpriv',
  `--reuid=${SERVER_USER}`,
  `--regid=${SERVER_USER}`,
  '--clear-groups',
  ...command,
];

export interface Postgresql {
  readonly version: string;
  readonly programs: string;
  readonly environment: Readonly<Record<string, string>>;
  /** A new cluster of databases in `folder`, with the role `app`. */
  createData(folder: string): Promise<void>;
}

const shared = lazily(install);
export const postgresql = (): Promise<Postgresql> => shared.get();

async function install(): Promise<Postgresql> {
  if (process.getuid?.() !== 0)
    throw new Unavailable('the tests of PostgreSQL start it as another user, which takes root');
  const unpacked = await unpackDebian('postgresql-15', 'postgresql-client-15', 'libpq5').catch(unavailable);
  const folder = mkdtempSync(join(tmpdir(), 'certwheel-postgresql-'));
  onStop(() => rmSync(folder, { recursive: true, force: true }));
  // The cache may be in a home that other users can't enter.
  chmodSync(folder, 0o755);
  await run('cp', ['--recursive', join(unpacked, 'usr'), folder]);
  const programs = join(folder, 'usr/lib/postgresql/15/bin');
  const environment = debianLibraries(folder);
  const options = { env: { ...process.env, ...environment }, cwd: folder };
  const template = join(folder, 'data');
  mkdirSync(template);
  chownSync(template, SERVER_USER, SERVER_USER);
  const initdb = [`${programs}/initdb`, '--pgdata', template, '--username=postgres', '--auth=trust', '--no-sync'];
  const [setpriv, ...args] = asServerUser([...initdb, '--wal-segsize=1']);
  await run(setpriv, args, options);
  const single = asServerUser([`${programs}/postgres`, '--single', '-D', template, 'postgres']);
  const created = run(single[0], single.slice(1), options);
  created.child.stdin?.end('create role app login;\n');
  await created;
  const { stdout } = await run(`${programs}/postgres`, ['--version'], options);
  return {
    version: /\(PostgreSQL\) (\S+)/.exec(stdout)?.[1] ?? stdout,
    programs,
    environment,
    createData: async (to) => {
      await run('cp', ['--archive', template, to]);
    },
  };
}

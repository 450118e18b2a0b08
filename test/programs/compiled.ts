import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, globSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { withLock } from './lock.ts';
import { BUILD_ENVIRONMENT, cacheRoot } from './modules.ts';
import { showProgress } from './progress.ts';

/** A program and its arguments. */
export type Command = readonly [program: string, ...args: string[]];

/** A small program of ours, or packages that one needs, which one or two commands build. */
export interface Compiled {
  /** Names its folder in the cache. */
  readonly name: string;
  readonly folder: string;
  /** Files of the folder, as a glob. */
  readonly sources: string;
  readonly build: (source: string, out: string) => readonly Command[];
  readonly run: (out: string) => Command;
  /** Prints a version, to prove a fresh build. */
  readonly prove: (out: string) => Command;
  /** Prints the version of what compiles it. */
  readonly compiler: Command;
  /** Where the compiler or what it needs is missing. */
  readonly remedy: string;
}

/**
 * How to start a program, which is built into the cache unless that has been done. Throws an Error that says what to
 * install where it can't be built or doesn't run.
 */
export async function ensureCompiled(program: Compiled): Promise<Command> {
  const out = join(cacheRoot(), `${program.name}-${await keyOf(program)}`);
  if (existsSync(out)) return program.run(out);
  mkdirSync(cacheRoot(), { recursive: true });
  await withLock(`${out}.lock`, async () => {
    if (!existsSync(out)) await showProgress(`building ${program.name}, only this once`, () => buildInto(out, program));
  });
  return program.run(out);
}

async function buildInto(out: string, { name, folder, build, prove, remedy }: Compiled): Promise<string> {
  const work = mkdtempSync(`${out}-unfinished-`);
  try {
    for (const command of build(folder, work)) await execute(command, remedy);
    const version = await execute(prove(work), remedy);
    renameSync(work, out);
    return `: ${version.trim()}`;
  } catch (error) {
    rmSync(work, { recursive: true, force: true });
    throw new Error(`${name} can't be built: ${(error as Error).message}`, { cause: error });
  }
}

async function execute([program, ...args]: Command, remedy: string): Promise<string> {
  try {
    const { stdout } = await promisify(execFile)(program, args, { env: { ...process.env, ...BUILD_ENVIRONMENT } });
    return stdout;
  } catch (error) {
    const { code, stderr = '' } = error as NodeJS.ErrnoException & { stderr?: string };
    const what = code === 'ENOENT' ? `there is no \`${program}\` on the PATH` : stderr.slice(-2000) || String(error);
    throw new Error(`${what}\n${remedy}`);
  }
}

/** Changes with the sources, the command and the version of what compiles them. */
async function keyOf({ folder, sources, build, run, compiler, remedy }: Compiled): Promise<string> {
  const hash = createHash('sha256').update(JSON.stringify([build('', ''), run(''), process.platform, process.arch]));
  for (const file of globSync(sources, { cwd: folder }).sort())
    hash.update(`${file}\0`).update(readFileSync(join(folder, file)));
  hash.update(await execute(compiler, remedy));
  return hash.digest('hex').slice(0, 12);
}

const GO_REMEDY = 'Go 1.26 or newer is needed as `go` on the PATH: https://go.dev/dl';
const C_REMEDY = 'a C compiler and the headers of OpenSSL 3 are needed: apt-get install gcc libssl-dev';

/** The Go program of a folder that needs the standard library alone, as `run` of the folder in the cache. */
export function goProgram(name: string, folder: string): Compiled {
  return {
    name,
    folder,
    sources: '{go.mod,*.go}',
    build: (source, out) => [['go', '-C', source, 'build', '-trimpath', '-buildvcs=false', '-o', `${out}/run`, '.']],
    run: (out) => [`${out}/run`],
    prove: (out) => [`${out}/run`, 'version'],
    compiler: ['go', 'version'],
    remedy: GO_REMEDY,
  };
}

/** The C program of a folder, over libcrypto. */
export function cProgram(name: string, folder: string, files: readonly string[]): Compiled {
  return {
    name,
    folder,
    sources: '*.{c,h}',
    build: (source, out) => [
      [
        'cc',
        '-O2',
        '-Wall',
        '-Wextra',
        '-Werror',
        '-o',
        `${out}/run`,
        ...files.map((each) => `${source}/${each}`),
        '-lcrypto',
      ],
    ],
    run: (out) => [`${out}/run`],
    prove: (out) => [`${out}/run`, 'version'],
    compiler: ['cc', '--version'],
    remedy: C_REMEDY,
  };
}

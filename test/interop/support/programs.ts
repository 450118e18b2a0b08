/** Programs of test/interop/programs, and how they are started. */
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { startLineProcess } from '../../pki/verifiers/line-process.ts';
import { ensureProgram } from '../../programs/programs.ts';
import { ensurePython } from '../../programs/python.ts';
import type { ClientAnswer, ClientProgram, RunningClient } from './client.ts';

const FOLDER = join(import.meta.dirname, '..', 'programs');
const PYTHON_PACKAGES = ['requests==2.34.2', 'httpx==0.28.1'] as const;

type Command = readonly [program: string, ...args: string[]];

export const goProgram = (): Promise<string> => ensureProgram('interop');

export async function pythonCommand(script: string): Promise<Command> {
  return [await ensurePython(PYTHON_PACKAGES), join(FOLDER, 'python', script)];
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
  { scheme = 'https', more = {} }: { readonly scheme?: string; readonly more?: Readonly<Record<string, string>> } = {},
): ClientProgram {
  const start = async (): Promise<RunningClient> => {
    const process_ = startLineProcess(`the client ${title}`, command);
    return {
      async ask({ port, directory: folder, keep }) {
        const url = scheme === 'grpc' ? `grpc://localhost:${port}` : `${scheme}://localhost:${port}/`;
        const question = { url, folder, ...(keep === undefined ? {} : { keep }), ...more };
        return JSON.parse(await process_.ask(JSON.stringify(question))) as ClientAnswer;
      },
      stop: () => process_.stop(),
    };
  };
  return { version, start };
}

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { onStop } from '../../../teardown.ts';

/** A start that fails does so by itself. */
const LONGEST_RUN_MS = 60_000;
const MAIN = `${import.meta.dirname}/../../../../src/main.ts`;

export interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  /** Of standard error: the lines that are no log entries. */
  readonly errors: readonly string[];
}

/** Runs `node src/main.ts` with nothing but these arguments and variables, until it ends by itself. */
export async function runMain(args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<Ended> {
  const child = spawn(process.execPath, [MAIN, ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { PATH: process.env.PATH, HOME: '/nonexistent', ...env },
  });
  onStop(() => child.kill('SIGKILL'));
  const timer = setTimeout(() => child.kill('SIGKILL'), LONGEST_RUN_MS);
  const [stdout, stderr, [code]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'exit')]);
  clearTimeout(timer);
  const errors = stderr.split('\n').filter((line) => line !== '' && !line.startsWith('{'));
  return { code: code as number | null, stdout, errors };
}

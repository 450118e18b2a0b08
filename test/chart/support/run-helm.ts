import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { ensureProgram } from '../../programs/programs.ts';

export interface HelmResult {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs Helm to its end; a code other than 0 is an answer, not an error. */
export async function runHelm(
  args: readonly string[],
  environment: Readonly<Record<string, string>> = {},
): Promise<HelmResult> {
  const options = { env: { ...process.env, ...environment }, maxBuffer: 64 * 1024 * 1024 };
  return promisify(execFile)(await ensureProgram('helm'), [...args], options).then(
    ({ stdout, stderr }) => ({ code: 0, stdout, stderr }),
    (error: { code?: unknown; stdout?: string; stderr?: string; message: string }) => ({
      code: typeof error.code === 'number' ? error.code : -1,
      stdout: error.stdout ?? '',
      stderr: error.stderr || error.message,
    }),
  );
}

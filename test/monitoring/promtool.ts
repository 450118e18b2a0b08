import { spawn } from 'node:child_process';
import { text } from 'node:stream/consumers';
import { onStop } from '../teardown.ts';
import { prometheusPrograms } from './programs.ts';

export interface Said {
  readonly code: number | null;
  /** Standard output and error. */
  readonly text: string;
}

export async function promtool(args: readonly string[], input = ''): Promise<Said> {
  const { promtool } = await prometheusPrograms();
  const child = spawn(promtool, args, { stdio: ['pipe', 'pipe', 'pipe'] });
  onStop(() => child.kill());
  // It may end before it has read everything; what it says then tells why.
  child.stdin.on('error', () => {});
  child.stdin.end(input);
  const [output, errors, code] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    new Promise<number | null>((resolve) => child.on('close', resolve)),
  ]);
  return { code, text: `${output}${errors}` };
}

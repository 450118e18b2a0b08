import { execFile } from 'node:child_process';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import type { World } from './world.ts';

/** A new folder for commands, with these files in it. */
export function commandFolder({ cluster }: World, files: Readonly<Record<string, string>> = {}): string {
  const folder = mkdtempSync(join(cluster.dir, 'commands-'));
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
  return folder;
}

/** Runs commands of a page as an administrator would, in this folder. Answers what they print; throws where one fails. */
export async function runCommands({ cluster }: World, commands: string, cwd: string): Promise<string> {
  const PATH = `${dirname(cluster.kubectlPath)}:${process.env.PATH}`;
  const env = { ...process.env, PATH, KUBECONFIG: cluster.kubeconfigPath, KUBECACHEDIR: join(cwd, 'cache') };
  return (await promisify(execFile)('bash', ['-euc', commands], { cwd, env })).stdout;
}

import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import * as assert from 'uvu/assert';
import type { ControlPlane } from '../../cluster/control-plane.ts';
import { ensureTool } from '../tools.ts';
import { helmEnvironment, ROOT } from './helm.ts';

/** The commands that a section of a page shows, one by one. */
export function commandsOf(page: string, section: string): string[] {
  const text = readFileSync(join(ROOT, page), 'utf8').split(`\n## ${section}\n`)[1]?.split('\n## ')[0] ?? '';
  const commands = [...text.matchAll(/```sh\n([\s\S]*?)```/g)].flatMap(([, block = '']) => block.trim().split('\n'));
  assert.ok(commands.length > 0, `${page} has no commands under ${section}`);
  return commands;
}

/** Runs them as a person would, but for the files that they write, which go where the test's own are. */
export async function runCommands(cluster: ControlPlane, commands: readonly string[]): Promise<string> {
  const PATH = [dirname(cluster.kubectlPath), dirname(await ensureTool('helm')), process.env.PATH].join(':');
  let printed = '';
  for (const command of commands) {
    const written = command.replaceAll(/(^|[ /])certwheel\.yaml/g, `$1${cluster.dir}/certwheel.yaml`);
    const script = written.replaceAll('/tmp/certwheel-chart', `${cluster.dir}/chart`);
    const env = { ...process.env, ...helmEnvironment(cluster), PATH };
    printed += (await promisify(execFile)('bash', ['-c', script], { cwd: ROOT, env })).stdout;
  }
  return printed;
}

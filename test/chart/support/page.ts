import { execFile } from 'node:child_process';
import { dirname } from 'node:path';
import { promisify } from 'node:util';
import type { ControlPlane } from '../../cluster/control-plane.ts';
import { ensureProgram } from '../../programs/programs.ts';
import { helmEnvironment, ROOT } from './helm.ts';

/** Runs the commands of a page as a person would, but for the files that they write, which go where the test's own are. */
export async function runCommands(cluster: ControlPlane, commands: readonly string[]): Promise<string> {
  const PATH = [dirname(cluster.kubectlPath), dirname(await ensureProgram('helm')), process.env.PATH].join(':');
  let printed = '';
  for (const command of commands) {
    const written = command.replaceAll(/(^|[ /])(certwheel(?:-resources|-values)?\.yaml)/g, `$1${cluster.dir}/$2`);
    const script = written.replaceAll('/tmp/certwheel-chart', `${cluster.dir}/chart`);
    const env = { ...process.env, ...helmEnvironment(cluster), PATH };
    printed += (await promisify(execFile)('bash', ['-c', script], { cwd: ROOT, env })).stdout;
  }
  return printed;
}

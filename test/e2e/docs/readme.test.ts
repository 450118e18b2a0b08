import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { startControlPlane } from '../../cluster/control-plane.ts';
import { untilKnown } from '../crds/api.ts';
import { startController, stopControllers } from '../support/controller-process.ts';
import { lazily } from '../support/lazily.ts';

const ROOT = join(import.meta.dirname, '../../..');

// Without CRDs: installing them is the README's first command.
const shared = lazily(() => startControlPlane());
test.after(async () => {
  await stopControllers();
  await shared.stop();
});

/** The kubectl lines of a section of the README. */
function commandsOf(section: string): string[] {
  const text = readFileSync(join(ROOT, 'README.md'), 'utf8').split(`## ${section}\n`)[1]?.split('\n## ')[0] ?? '';
  const blocks = [...text.matchAll(/```sh\n([\s\S]*?)```/g)].map((match) => match[1] ?? '');
  return blocks
    .join('\n')
    .split('\n')
    .filter((line) => line.startsWith('kubectl '));
}

test('the commands of the README bring certificates into an empty cluster', async () => {
  const cluster = await shared.get();
  const run = (command: string) => {
    const env = {
      ...process.env,
      PATH: `${dirname(cluster.kubectlPath)}:${process.env.PATH}`,
      KUBECONFIG: cluster.kubeconfigPath,
    };
    return promisify(execFile)('bash', ['-c', command], { cwd: ROOT, env });
  };
  const [install = ''] = commandsOf('Run it from the sources');
  assert.match(install, 'crds/');
  // Where the controller runs on this machine there is no rollout to wait for.
  const others = commandsOf('Install').filter((command) => !command.startsWith('kubectl rollout'));
  await run(install);
  await untilKnown(cluster);
  await startController(cluster.kubeconfigPath);
  const outputs = [];
  for (const command of others) outputs.push((await run(command)).stdout);
  assert.is(others.length, 3);
  assert.match(outputs.at(1) ?? '', 'condition met');
  assert.match(outputs.at(2) ?? '', 'True');
});

test.run();

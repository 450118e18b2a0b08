import { execFile } from 'node:child_process';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { startControlPlane } from '../../cluster/control-plane.ts';
import { stopAll } from '../../teardown.ts';
import { untilKnown } from '../crds/api.ts';
import { startController } from '../support/controller-process.ts';
import { lazily } from '../support/lazily.ts';
import { commandsOf } from '../support/page.ts';

const ROOT = join(import.meta.dirname, '../../..');

// Without CRDs: installing them is the README's first command.
const shared = lazily(() => startControlPlane());
test.after(stopAll);

/** The kubectl lines of a section of the README. */
const kubectlLines = (section: string) =>
  commandsOf('README.md', section).filter((line) => line.startsWith('kubectl '));

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
  const [install = '', ...before] = kubectlLines('Run it from the sources');
  assert.match(install, 'crds/');
  // Where the controller runs on this machine there is no rollout to wait for.
  const others = kubectlLines('Install').filter((command) => !command.startsWith('kubectl rollout'));
  await run(install);
  await untilKnown(cluster);
  for (const command of before) await run(command);
  await startController(cluster.kubeconfigPath);
  const outputs = [];
  for (const command of others) outputs.push((await run(command)).stdout);
  assert.is(others.length, 3);
  assert.match(outputs.at(1) ?? '', 'condition met');
  assert.match(outputs.at(2) ?? '', 'True');
});

test.run();

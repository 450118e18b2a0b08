import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { freePort } from '../cluster/ports.ts';
import { startController } from '../e2e/support/controller-process.ts';
import { oneWorld } from '../e2e/support/world.ts';
import { onStop } from '../teardown.ts';
import { one, render } from './support/helm.ts';

const shared = oneWorld();
test.after(shared.stop);

/** Runs what the Pod of `helm test` runs, with the variables that Kubernetes would give it. */
async function runPod(port: number) {
  const [container] = one(await render(), 'Pod').spec.containers;
  const [name] = container?.env ?? [];
  if (container === undefined || name === undefined) throw new Error('the Pod has no container, or no variable');
  const service = name.value.toUpperCase().replaceAll('-', '_');
  const env = {
    [name.name]: name.value,
    [`${service}_SERVICE_HOST`]: '127.0.0.1',
    [`${service}_SERVICE_PORT`]: `${port}`,
  };
  const [node, ...options] = container.command ?? [];
  assert.is(node, '/usr/local/bin/node');
  const running = promisify(execFile)(process.execPath, [...options, ...container.args], { env });
  onStop(() => running.child.kill());
  return running;
}

test('helm test finds the leader behind the Service', async () => {
  const { cluster } = await shared.get();
  const port = await freePort();
  const [{ stdout }] = await Promise.all([
    runPod(port),
    // Started after the question, which is asked again until a replica leads.
    startController(cluster.kubeconfigPath, ['--metrics-bind-address', `127.0.0.1:${port}`]),
  ]);
  assert.match(stdout, /a replica leads/);
});

test.run();

import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { createIssuer, issueServer } from '../cluster/certificates.ts';
import { freePort } from '../cluster/ports.ts';
import { startController } from '../e2e/support/controller-process.ts';
import { oneWorld } from '../e2e/support/world.ts';
import { onStop } from '../teardown.ts';
import { one, render } from './support/helm.ts';

const shared = oneWorld();
test.after(shared.stop);

/** Runs what the Pod of `helm test` runs, with the variables that the chart and Kubernetes would give it. */
async function runPod(port: number, metrics: object = {}) {
  const [container] = one(await render({ metrics }), 'Pod').spec.containers;
  if (container === undefined) throw new Error('the Pod has no container');
  const given = Object.fromEntries(container.env.map(({ name, value }) => [name, value]));
  const service = given.METRICS_SERVICE?.toUpperCase().replaceAll('-', '_');
  const env = { ...given, [`${service}_SERVICE_HOST`]: '127.0.0.1', [`${service}_SERVICE_PORT`]: `${port}` };
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

test('helm test is content with metrics over TLS that ask for a token', async () => {
  const { cluster } = await shared.get();
  const folder = mkdtempSync(join(tmpdir(), 'certwheel-helm-test-'));
  onStop(() => rmSync(folder, { recursive: true }));
  const { certificatePem, keyPem } = issueServer(createIssuer('CA of metrics'), ['certwheel-metrics']);
  const [certFile, keyFile] = [join(folder, 'tls.crt'), join(folder, 'tls.key')];
  writeFileSync(certFile, certificatePem);
  writeFileSync(keyFile, keyPem);
  const port = await freePort();
  const served = ['--metrics-authentication', '--metrics-tls-cert-file', certFile, '--metrics-tls-key-file', keyFile];
  await startController(cluster.kubeconfigPath, ['--metrics-bind-address', `127.0.0.1:${port}`, ...served]);
  const { stdout } = await runPod(port, { tls: { secretName: 'a' }, authentication: { enabled: true } });
  assert.match(stdout, /asks for a token/);
});

test.run();

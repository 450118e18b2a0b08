/** Certificates of a running controller as users of the Kubernetes API: the example in examples/kubernetes-users. */
import { appendFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { eventually } from '../e2e/support/eventually.ts';
import { readSecret, untilReady } from '../e2e/support/objects.ts';
import { oneScene } from '../e2e/support/scene.ts';
import { userOf } from './servers/kube-apiserver.ts';
import { temporaryFolder } from './support/temporary.ts';

const EXAMPLE = join(import.meta.dirname, '../../examples/kubernetes-users');
const NAMESPACE = 'finance-reports';

const scene = oneScene({ own: true, authority: false }, async ({ world }) => {
  await world.cluster.kubectl(['apply', '-f', EXAMPLE]);
  await untilReady(world, NAMESPACE, 'ledger');
  await untilReady(world, NAMESPACE, 'parcels');
  const secret = await readSecret(world, NAMESPACE, 'ledger-tls');
  // The API server watches the file of its client CAs.
  appendFileSync(world.cluster.caPath, secret?.bundle ?? '');
  return undefined;
});
test.after(scene.stop);

/** Runs kubectl with the certificate of this Secret alone. */
async function kubectlAs(name: string, ...args: readonly string[]): Promise<string> {
  const { world } = await scene.get();
  const secret = await readSecret(world, NAMESPACE, `${name}-tls`);
  const folder = temporaryFolder();
  writeFileSync(join(folder, 'tls.crt'), secret?.chain ?? '');
  writeFileSync(join(folder, 'tls.key'), secret?.key ?? '', { mode: 0o600 });
  writeFileSync(join(folder, 'empty.kubeconfig'), '');
  const { url, caPath } = world.cluster;
  const files = ['--client-certificate', join(folder, 'tls.crt'), '--client-key', join(folder, 'tls.key')];
  const server = ['--server', url, '--certificate-authority', caPath, '--kubeconfig', join(folder, 'empty.kubeconfig')];
  return (await world.cluster.kubectl([...server, ...files, ...args])).stdout;
}

const whoAmI = (name: string) => kubectlAs(name, 'auth', 'whoami', '-o', 'json');

test('the API server takes the common name for the user and the organization for a group', async () => {
  const text = await eventually('the API server trusts the CA', () => whoAmI('ledger').catch(() => undefined));
  const { username, groups, extra } = userOf(text);
  assert.is(username, 'ledger');
  assert.equal([...groups].sort(), ['finance', 'system:authenticated']);
  const { world } = await scene.get();
  const secret = await readSecret(world, NAMESPACE, 'ledger-tls');
  const fingerprint = secret?.leaf.fingerprint256.replaceAll(':', '').toLowerCase();
  assert.equal(extra?.['authentication.kubernetes.io/credential-id'], [`X509SHA256=${fingerprint}`]);
});

test('only finance reads the transactions', async () => {
  await eventually('the API server trusts the CA', () => whoAmI('parcels').catch(() => undefined));
  const get = ['get', 'configmap', 'transactions', '-n', NAMESPACE, '-o', 'jsonpath={.data.latest}'];
  assert.is(await kubectlAs('ledger', ...get), '4711');
  const refusal = await kubectlAs('parcels', ...get).then(
    (text) => `answered: ${text}`,
    (error: Error & { stderr?: string }) => `${error.message} ${error.stderr ?? ''}`,
  );
  assert.match(refusal, /configmaps "transactions" is forbidden: User "parcels" cannot get resource "configmaps"/);
});

test.run();

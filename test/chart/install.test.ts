import { execFile } from 'node:child_process';
import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { startController } from '../e2e/support/controller-process.ts';
import {
  clientCertificate,
  create,
  createAuthority,
  readSecret,
  selfManaged,
  untilReady,
} from '../e2e/support/objects.ts';
import { eventually, oneWorld, type World } from '../e2e/support/world.ts';
import { accountKubeconfig } from './support/account.ts';
import { CHART, helm, install, NAMESPACE, one, render } from './support/helm.ts';

const CRDS = ['certificateapprovals', 'certificateauthorities', 'clientcertificates', 'clustercertificateauthorities'];

let notes = '';

const shared = oneWorld(
  { controllers: ['deployment-controller', 'replicaset-controller', 'serviceaccount-controller'] },
  async (cluster) => {
    await cluster.kubectl(['create', 'namespace', NAMESPACE]);
    const label = 'pod-security.kubernetes.io/enforce=restricted';
    await cluster.kubectl(['label', 'namespace', NAMESPACE, label]);
    notes = await install(cluster);
  },
);
test.after(shared.stop);

async function crds({ cluster }: World): Promise<string[]> {
  const { stdout } = await cluster.kubectl(['get', 'crd', '-o', 'name']);
  return stdout
    .split('\n')
    .filter((line) => line.endsWith('.certwheel.io'))
    .map((line) => line.replace(/^.*\/(\w+)\..*$/, '$1'))
    .sort();
}

test('the commands of the notes bring a first certificate', async () => {
  const world = await shared.get();
  const { cluster } = world;
  assert.match(notes, /Certwheel 0\.1\.0 serves the whole cluster/);
  const [apply = ''] = /^ {2}kubectl apply[\s\S]*? {2}EOF$/m.exec(notes) ?? [];
  await promisify(execFile)('bash', ['-c', apply.replaceAll(/^ {2}/gm, '')], {
    env: {
      ...process.env,
      KUBECONFIG: cluster.kubeconfigPath,
      PATH: `${dirname(cluster.kubectlPath)}:${process.env.PATH}`,
    },
  });
  const controller = await startController(await accountKubeconfig(cluster));
  await untilReady(world, 'default', 'first');
  await controller.stop();
  await cluster.kubectl(['delete', 'ccert,cauth', '--all', '-n', 'default']);
});

test('Pods are let in where restricted Pod Security is enforced', async () => {
  const { cluster } = await shared.get();
  const pods = await eventually('the Pods are there', async () => {
    const { stdout } = await cluster.kubectl(['get', 'pods', '-n', NAMESPACE, '-o', 'json']);
    const { items } = JSON.parse(stdout);
    return items.length === 2 && items;
  });
  for (const { spec } of pods) {
    assert.is(spec.serviceAccountName, 'certwheel');
    const mounted = spec.volumes.some(({ projected }: { projected?: object }) => projected !== undefined);
    assert.ok(mounted, 'it has a token');
    assert.is(spec.priority, 0);
  }
});

test('the Pod of helm test is let in too', async () => {
  const { cluster } = await shared.get();
  const pod = one(await render(), 'Pod');
  await cluster.kubectl(['apply', '--dry-run=server', '-f', '-'], { input: JSON.stringify(pod) });
});

let issued: Promise<string> | undefined;

/** The namespace in which the certificate alice was issued, by a controller that has gone since. */
function namespaceOfAlice(): Promise<string> {
  issued ??= shared.get().then(async (world) => {
    const namespace = await world.namespace();
    const controller = await startController(await accountKubeconfig(world.cluster));
    await createAuthority(world, selfManaged(namespace));
    await create(world, clientCertificate(namespace, 'alice'));
    await untilReady(world, namespace, 'alice');
    await controller.stop();
    return namespace;
  });
  return issued;
}

async function shortNames({ cluster }: World): Promise<string[]> {
  const { stdout } = await cluster.kubectl(['get', 'crd', 'clientcertificates.certwheel.io', '-o', 'json']);
  return JSON.parse(stdout).spec.names.shortNames;
}

test('an upgrade brings what has changed in the CRDs, and touches no Secret', async () => {
  const world = await shared.get();
  const { cluster } = world;
  const namespace = await namespaceOfAlice();
  const before = await readSecret(world, namespace, 'alice-tls');
  assert.ok(before);

  const changed = join(cluster.dir, 'changed-chart');
  cpSync(CHART, changed, { recursive: true });
  const file = join(changed, 'templates/crd-clientcertificates.yaml');
  writeFileSync(file, readFileSync(file, 'utf8').replace('shortNames: [ccert]', 'shortNames: [ccert, cwcert]'));
  await helm(cluster, ['upgrade', 'certwheel', changed, '-n', NAMESPACE, '--set', 'replicaCount=3']);
  assert.equal(await shortNames(world), ['ccert', 'cwcert']);
  assert.equal((await readSecret(world, namespace, 'alice-tls'))?.object, before?.object);

  await helm(cluster, ['rollback', 'certwheel', '-n', NAMESPACE]);
  assert.equal(await shortNames(world), ['ccert'], 'a rollback brings the older CRDs back');
  await helm(cluster, ['upgrade', 'certwheel', changed, '-n', NAMESPACE]);
  const older = (...args: string[]) => helm(cluster, ['upgrade', 'certwheel', CHART, '-n', NAMESPACE, ...args]);
  await older('--set', 'crds.enabled=false');
  assert.equal(await shortNames(world), ['ccert', 'cwcert'], 'the older chart without CRDs leaves the newer ones');
  assert.equal((await readSecret(world, namespace, 'alice-tls'))?.object, before?.object);
  await older('--set', 'crds.enabled=true');
  assert.equal(await shortNames(world), ['ccert'], 'with its CRDs it brings them');
});

test('what helm uninstall leaves is what was promised, and an installation goes on with it', async () => {
  const world = await shared.get();
  const { cluster } = world;
  const namespace = await namespaceOfAlice();
  const before = await readSecret(world, namespace, 'alice-tls');
  assert.ok(before);
  await helm(cluster, ['uninstall', 'certwheel', '-n', NAMESPACE]);
  assert.equal(await crds(world), CRDS);
  for (const kind of ['deployment', 'role', 'clusterrole', 'validatingadmissionpolicy', 'networkpolicy', 'service']) {
    const { stdout } = await cluster.kubectl([
      'get',
      kind,
      '-n',
      NAMESPACE,
      '-l',
      'app.kubernetes.io/part-of=certwheel',
    ]);
    assert.is(stdout, '', kind);
  }
  assert.equal((await readSecret(world, namespace, 'alice-tls'))?.object, before?.object);

  await install(cluster);
  const controller = await startController(await accountKubeconfig(cluster));
  await untilReady(world, namespace, 'alice');
  await controller.stop();
  assert.is((await readSecret(world, namespace, 'alice-tls'))?.chain, before?.chain);
});

test('CRDs that are not to be kept go', async () => {
  const world = await shared.get();
  await helm(world.cluster, ['upgrade', 'certwheel', CHART, '-n', NAMESPACE, '--set', 'crds.keep=false']);
  await helm(world.cluster, ['uninstall', 'certwheel', '-n', NAMESPACE]);
  await eventually('the CRDs are gone', async () => (await crds(world)).length === 0);
});

test.run();

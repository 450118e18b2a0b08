import { readFileSync } from 'node:fs';
import { load } from 'js-yaml';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { startControlPlane } from '../../cluster/control-plane.ts';
import { onStop, stopAll } from '../../teardown.ts';
import { type Json, untilKnown } from '../crds/api.ts';
import { launchController } from '../support/controller-process.ts';
import { applyCrds, eventually } from '../support/world.ts';
import { runMain } from './support/run-main.ts';

// What helm rollback leaves, and an upgrade without CRDs: the API server drops the fields that its CRDs don't have.

const ANY_PORTS = ['--metrics-bind-address', '127.0.0.1:0', '--health-probe-bind-address', '127.0.0.1:0'];
const NOT_CHECKED = 'whether the CRDs are as new as the controller was not checked';

test.after(stopAll);

async function controlPlane() {
  const cluster = await startControlPlane();
  onStop(cluster.stop);
  return cluster;
}

async function untilInSync(kubeconfig: string): Promise<string[]> {
  const controller = launchController(kubeconfig, ANY_PORTS);
  await eventually('it is in sync', () => controller.logs.some(({ message }) => message === 'in sync'));
  await controller.stop();
  return controller.logs.map(({ message }) => String(message));
}

/** The CRD of ClientCertificates without one field of the status. */
function olderCrd(): string {
  interface Crd {
    spec: { versions: { schema: { openAPIV3Schema: { properties: { status: { properties: Json } } } } }[] };
  }
  const crd = load(readFileSync(`${import.meta.dirname}/../../../crds/clientcertificates.yaml`, 'utf8')) as Crd;
  for (const { schema } of crd.spec.versions) delete schema.openAPIV3Schema.properties.status.properties.revision;
  return JSON.stringify(crd);
}

test('CRDs that are older than the controller end the start with one line, and their successors do not', async () => {
  const cluster = await controlPlane();
  await applyCrds(cluster);
  await cluster.kubectl(['apply', '--server-side', '-f', '-'], { input: olderCrd() });
  await untilKnown(cluster);
  const args = ['--kubeconfig', cluster.kubeconfigPath, ...ANY_PORTS];
  for (const { code, errors } of await Promise.all([runMain(args), runMain([...args, '--namespaces', 'default'])])) {
    assert.is(code, 1);
    assert.equal(errors, [
      'certwheel: the CRD clientcertificates.certwheel.io is older than this controller: it lacks status.revision; apply the CRDs of this release: kubectl apply --server-side --force-conflicts -f crds/',
    ]);
  }
  // At once: the schemas that the API server shows may be those of before.
  await cluster.kubectl(['apply', '--server-side', '--force-conflicts', '-f', 'crds/']);
  assert.not.ok((await untilInSync(cluster.kubeconfigPath)).includes(NOT_CHECKED));
});

test('where the schemas may not be read, the CRDs are not checked, and the log says so', async () => {
  const cluster = await controlPlane();
  await applyCrds(cluster);
  const kubeconfig = await cluster.kubeconfigFor('reader');
  const rights = { everything: ['--verb=*', '--resource=*.*'], version: ['--verb=get', '--non-resource-url=/version'] };
  for (const [role, rules] of Object.entries(rights)) {
    await cluster.kubectl(['create', 'clusterrole', role, ...rules]);
    await cluster.kubectl(['create', 'clusterrolebinding', role, `--clusterrole=${role}`, '--user=reader']);
  }
  await cluster.kubectl(['delete', 'clusterrolebinding', 'system:discovery']);
  assert.ok((await untilInSync(kubeconfig)).includes(NOT_CHECKED));
});

test.run();

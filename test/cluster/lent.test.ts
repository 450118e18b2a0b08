import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { eventually } from '../e2e/support/eventually.ts';
import { lazily } from '../e2e/support/lazily.ts';
import { applyCrds } from '../e2e/support/world.ts';
import { type ControlPlane, startControlPlane } from './control-plane.ts';
import { readState, restoreState } from './etcd-state.ts';
import { LENT_VARIABLE, loanOf } from './lent.ts';

const shared = lazily(async () => {
  const cluster = await startControlPlane();
  await applyCrds(cluster);
  const state = await readState(cluster.etcdUrl);
  return { cluster, state, stop: () => cluster.stop() };
});
test.after(shared.stop);

/** Runs a script of a borrower in a process of its own: `cluster` is what it borrowed. */
async function borrow(lender: ControlPlane, script: string): Promise<string> {
  const begin = `const { borrowControlPlane } = await import(${JSON.stringify(join(import.meta.dirname, 'lent.ts'))});
    const cluster = await borrowControlPlane([]);\n`;
  const env = { ...process.env, [LENT_VARIABLE]: loanOf(lender) };
  const args = ['--input-type=module', '--eval', `${begin}${script}`];
  return (await promisify(execFile)(process.execPath, args, { env })).stdout.trim();
}

/** Every object that the API server knows of any kind, but for what goes by itself. */
async function inventory(cluster: ControlPlane): Promise<string[]> {
  const kinds = await cluster.kubectl(['api-resources', '--verbs=list', '--output=name', '--cached=false']);
  const names = kinds.stdout
    .trim()
    .split('\n')
    .filter((kind) => !/^(events|leases|apiservices)\b/.test(kind));
  const columns = 'custom-columns=A:.kind,B:.metadata.namespace,C:.metadata.name,D:.metadata.uid,E:.metadata.labels';
  const args = ['get', names.join(','), '--all-namespaces', '--no-headers', `--output=${columns}`];
  return (await cluster.kubectl(args)).stdout.trim().split('\n').toSorted();
}

const LEAVE_EVERYTHING = `
  const object = (apiVersion, kind, name, more = {}) => ({ apiVersion, kind, metadata: { name }, ...more });
  const group = 'left.example.com';
  const schema = { openAPIV3Schema: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } };
  const versions = [{ name: 'v1', served: true, storage: true, schema }];
  const names = { plural: 'leftovers', singular: 'leftover', kind: 'Leftover', listKind: 'LeftoverList' };
  const items = [
    object('v1', 'Namespace', 'left'),
    object('rbac.authorization.k8s.io/v1', 'ClusterRole', 'left', { rules: [] }),
    object('apiextensions.k8s.io/v1', 'CustomResourceDefinition', 'leftovers.' + group, { spec: { group, scope: 'Cluster', names, versions } }),
    object('v1', 'ConfigMap', 'left'),
    object('certwheel.io/v1alpha1', 'CertificateAuthority', 'left', { spec: { selfManaged: { commonName: 'Left' } } }),
  ];
  await cluster.kubectl(['apply', '--server-side', '-f', '-'], { input: JSON.stringify({ apiVersion: 'v1', kind: 'List', items }) });
  await cluster.kubectl(['wait', '--for=condition=Established', 'crd/leftovers.' + group]);
  await cluster.kubectl(['create', '-f', '-'], { input: JSON.stringify(object(group + '/v1', 'Leftover', 'left')) });
  await cluster.kubectl(['label', 'namespace', 'default', 'left=yes']);
  await cluster.kubectl(['delete', 'crd', 'clientcertificates.certwheel.io']);
  await cluster.stop();`;

test('whatever a borrower leaves, changes or deletes, the next one finds what the first one found', async () => {
  const { cluster, state } = await shared.get();
  const before = await inventory(cluster);
  assert.ok(before.length > 100, `${before.length} objects`);
  for (let round = 1; round <= 2; round++) {
    await borrow(cluster, LEAVE_EVERYTHING);
    assert.not.equal(await inventory(cluster), before);
    await restoreState(cluster.etcdUrl, state);
    await eventually(
      'the API server knows what etcd holds',
      async () => (await inventory(cluster)).join() === before.join(),
    );
  }
  await cluster.kubectl(['get', 'ccert', '--all-namespaces']);
});

test('a borrower sees its own requests alone in the audit log', async () => {
  const { cluster } = await shared.get();
  await cluster.kubectl(['get', 'configmap', 'of-the-lender'], { allowFailure: true });
  const seen = await borrow(
    cluster,
    `await cluster.kubectl(['get', 'configmap', 'of-the-borrower'], { allowFailure: true });
     let names = [];
     for (let asked = 0; asked < 600 && !names.includes('of-the-borrower'); asked++) {
       await new Promise((resolve) => setTimeout(resolve, 100));
       names = (await cluster.auditEvents()).map(({ objectRef }) => objectRef?.name);
     }
     console.log(names.filter((name) => name?.startsWith('of-the')).join());
     await cluster.stop();`,
  );
  assert.is(seen, 'of-the-borrower');
});

test('a borrower is one process, once, and can neither restart nor stop what it borrowed', async () => {
  const { cluster } = await shared.get();
  const seen = await borrow(
    cluster,
    `const { borrowControlPlane: again } = await import(${JSON.stringify(join(import.meta.dirname, 'lent.ts'))});
     console.log(await again([]));
     for (const what of ['restartApiServer', 'stopApiServer', 'startApiServer'])
       console.log(await cluster[what]().then(() => 'did', (error) => /lent/.test(error.message)));
     await cluster.stop();`,
  );
  assert.equal(seen.split('\n'), ['undefined', 'true', 'true', 'true']);
  assert.is((await cluster.kubectl(['get', '--raw', '/readyz'])).stdout, 'ok');
});

test('a user whom a borrower names is one to the API server', async () => {
  const { cluster } = await shared.get();
  const who = await borrow(
    cluster,
    `const kubeconfigPath = await cluster.kubeconfigFor('someone', ['some-group']);
     console.log((await cluster.kubectl(['auth', 'whoami', '--output=jsonpath={.status.userInfo.username}'], { kubeconfigPath })).stdout);
     await cluster.stop();`,
  );
  assert.is(who, 'someone');
});

test.run();

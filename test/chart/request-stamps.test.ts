import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { eventually, oneWorld, type World } from '../e2e/support/world.ts';
import { CHART, helm, install } from './support/helm.ts';

// The attack: a user requests a certificate under the name of another one, who is then called to account.

const shared = oneWorld({}, async (cluster) => {
  await install(cluster, { requestStamps: { enabled: true } });
  const kubectl = (...args: string[]) => cluster.kubectl(args);
  await kubectl('create', 'namespace', 'shop');
  await kubectl('create', 'role', 'owner', '--verb=*', '--resource=clientcertificates.certwheel.io', '-n', 'shop');
  for (const user of ['mallory', 'alice'])
    await kubectl('create', 'rolebinding', user, '--role=owner', `--user=${user}`, '-n', 'shop');
  await eventually('the policies hold', async () => {
    const { stdout } = await create(cluster, 'alice', 'probe', {}, ['--dry-run=server', '-o', `jsonpath=${STAMP}`]);
    return stdout === 'alice';
  });
});
test.after(shared.stop);

const ON = ['--set', 'requestStamps.enabled=true'];
const KEY = 'certwheel.io/requested-by';
const STAMP = '{.metadata.annotations.certwheel\\.io/requested-by}';
const FORGED = /the annotation certwheel.io\/requested-by can't be changed/;

function create(
  cluster: World['cluster'],
  user: string,
  name: string,
  annotations: object,
  flags: readonly string[] = [],
) {
  const object = {
    apiVersion: 'certwheel.io/v1alpha1',
    kind: 'ClientCertificate',
    metadata: { namespace: 'shop', name, annotations },
    spec: { authorityRef: { name: 'ca' }, secretName: `${name}-tls`, commonName: name },
  };
  const args = ['create', '--as', user, ...flags, '-f', '-'];
  return cluster.kubectl(args, { allowFailure: true, input: JSON.stringify(object) });
}

const patch = ({ cluster }: World, user: string, name: string, change: object) =>
  cluster.kubectl(['patch', 'ccert', name, '-n', 'shop', '--as', user, '--type=merge', '-p', JSON.stringify(change)], {
    allowFailure: true,
  });

const stampOf = async ({ cluster }: World, name: string) =>
  (await cluster.kubectl(['get', 'ccert', name, '-n', 'shop', '-o', `jsonpath=${STAMP}`])).stdout;

test('the user that creates a ClientCertificate is stamped on it, whatever it brings along', async () => {
  const world = await shared.get();
  assert.is((await create(world.cluster, 'alice', 'plain', {})).code, 0);
  assert.is((await create(world.cluster, 'mallory', 'forged', { [KEY]: 'alice', other: 'kept' })).code, 0);
  assert.is(await stampOf(world, 'plain'), 'alice');
  assert.is(await stampOf(world, 'forged'), 'mallory');
});

test('the user that changes the request is stamped, and no other change moves the stamp', async () => {
  const world = await shared.get();
  assert.is((await create(world.cluster, 'alice', 'changed', {})).code, 0);
  assert.is((await patch(world, 'mallory', 'changed', { metadata: { labels: { a: 'b' } } })).code, 0);
  assert.is(await stampOf(world, 'changed'), 'alice');
  for (const user of ['mallory', null])
    assert.match(
      (await patch(world, 'mallory', 'changed', { metadata: { annotations: { [KEY]: user } } })).stderr,
      FORGED,
    );
  assert.is((await patch(world, 'mallory', 'changed', { spec: { commonName: 'other' } })).code, 0);
  assert.is(await stampOf(world, 'changed'), 'mallory');
});

test('an API server without such policies gets none, and the controller does not trust the annotation', async () => {
  const { cluster } = await shared.get();
  const rendered = (...flags: string[]) => helm(cluster, ['template', 'certwheel', CHART, ...flags]);
  assert.match(await rendered(), /--request-stamps=false/);
  assert.not.match(await rendered(), /kind: MutatingAdmissionPolicy/);
  const api = ['--api-versions', 'admissionregistration.k8s.io/v1/MutatingAdmissionPolicy'];
  assert.match(await rendered(...api), /--request-stamps=false/);
  assert.match(await rendered(...api, ...ON), /--request-stamps=true/);
  assert.match(await rendered(...ON), /--request-stamps=false/);
});

test.run();

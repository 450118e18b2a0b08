import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { CERTIFICATE_APPROVALS } from '../../src/api/names.ts';
import { eventually, oneWorld, type World } from '../e2e/support/world.ts';
import { CHART, helm, install } from './support/helm.ts';

// The attack: a user with every right in a namespace approves the requests of that namespace for the CA of the platform.

const shared = oneWorld({ controllers: ['clusterrole-aggregation-controller'] }, async (cluster) => {
  await install(cluster);
  const kubectl = (...args: string[]) => cluster.kubectl(args);
  for (const namespace of ['shop', 'ending']) await kubectl('create', 'namespace', namespace);
  for (const namespace of ['shop', 'ending']) {
    await kubectl('create', 'role', 'owner', '--verb=*', '--resource=*.certwheel.io', '-n', namespace);
    await kubectl('create', 'rolebinding', 'owner', '--role=owner', '--user=mallory', '-n', namespace);
  }
  await kubectl('create', 'rolebinding', 'editor', '--clusterrole=admin', '--user=eve', '-n', 'shop');
  await kubectl('create', 'clusterrolebinding', 'alice', '--clusterrole=certwheel-approver', '--user=alice');
  await kubectl('create', 'rolebinding', 'bob', '--clusterrole=certwheel-approver', '--user=bob', '-n', 'shop');
  await eventually('the policy holds', async () => {
    const { stderr } = await approve(cluster, 'mallory', {}, ['--dry-run=server']);
    return NOT_ALLOWED.test(stderr);
  });
});
test.after(shared.stop);

const NOT_ALLOWED =
  /user \w+ may not approve for ClusterCertificateAuthority platform: that takes the verb approve on it/;
const NOT_ITS_NAME = /the annotation certwheel.io\/approved-by must be the name of the user that decides: /;
const CLUSTER = { kind: 'ClusterCertificateAuthority', name: 'platform' };
const NAMESPACED = { kind: 'CertificateAuthority', name: 'shop-ca' };

interface Decision {
  readonly authorityRef?: object;
  readonly approvedBy?: string | undefined;
  readonly decision?: string;
}

let decisions = 0;
function approve(
  cluster: World['cluster'],
  user: string,
  { authorityRef = CLUSTER, decision = 'Approved', ...marks }: Decision,
  flags: readonly string[] = [],
  namespace = 'shop',
) {
  const approvedBy = 'approvedBy' in marks ? marks.approvedBy : user;
  const object = {
    apiVersion: 'certwheel.io/v1alpha1',
    kind: CERTIFICATE_APPROVALS.kind,
    metadata: {
      namespace,
      name: `decision-${++decisions}`,
      annotations: approvedBy === undefined ? {} : { 'certwheel.io/approved-by': approvedBy },
    },
    spec: {
      clientCertificateRef: { name: 'client', uid: '1' },
      authorityRef,
      request: { commonName: 'client' },
      decision,
      validUntil: '2126-01-31T12:00:00Z',
    },
  };
  return cluster.kubectl(['create', '--as', user, ...flags, '-f', '-'], {
    allowFailure: true,
    input: JSON.stringify(object),
  });
}

test('the control: who may approve for the authority does', async () => {
  const { cluster } = await shared.get();
  for (const [user, authorityRef] of [
    ['alice', CLUSTER],
    ['alice', NAMESPACED],
    ['bob', NAMESPACED],
  ] as const) {
    const { code, stderr } = await approve(cluster, user, { authorityRef });
    assert.is(code, 0, `${user}: ${stderr}`);
  }
});

test('the owner of a namespace approves for the authorities in it, and not for those of the cluster', async () => {
  const { cluster } = await shared.get();
  for (const user of ['mallory', 'bob']) assert.match((await approve(cluster, user, {})).stderr, NOT_ALLOWED);
  assert.is((await approve(cluster, 'mallory', { authorityRef: NAMESPACED })).code, 0);
});

test('nobody approves under another name, or under none', async () => {
  const { cluster } = await shared.get();
  for (const approvedBy of ['alice', '', undefined])
    assert.match((await approve(cluster, 'bob', { authorityRef: NAMESPACED, approvedBy })).stderr, NOT_ITS_NAME);
  assert.match((await approve(cluster, 'alice', { approvedBy: 'bob' })).stderr, NOT_ITS_NAME);
});

test('a decision stays as it was made', async () => {
  const { cluster } = await shared.get();
  assert.is((await approve(cluster, 'mallory', { authorityRef: NAMESPACED })).code, 0);
  const name = `decision-${decisions}`;
  const patch = (change: object) =>
    cluster.kubectl(
      ['patch', 'capp', name, '-n', 'shop', '--as', 'mallory', '--type=merge', '-p', JSON.stringify(change)],
      { allowFailure: true },
    );
  const named = (user: string | null) => ({ metadata: { annotations: { 'certwheel.io/approved-by': user } } });
  for (const user of ['alice', null])
    assert.match((await patch(named(user))).stderr, /the annotation certwheel.io\/approved-by can't be changed/);
  assert.match((await patch({ spec: { authorityRef: CLUSTER } })).stderr, /a decision can't be changed/);
  assert.is((await patch({ metadata: { labels: { a: 'b' } } })).code, 0);
});

test('a denial is deleted by a user who may approve alone, and an approval by every user who may delete it', async () => {
  const { cluster } = await shared.get();
  const remove = (user: string) =>
    cluster.kubectl(['delete', 'capp', `decision-${decisions}`, '-n', 'shop', '--as', user], { allowFailure: true });
  assert.is((await approve(cluster, 'alice', { decision: 'Denied' })).code, 0);
  assert.match((await remove('mallory')).stderr, NOT_ALLOWED);
  assert.is((await remove('alice')).code, 0);
  assert.is((await approve(cluster, 'alice', {})).code, 0);
  assert.is((await remove('mallory')).code, 0);
});

test('a namespace that ends takes its denials along, and its owner can not delete one before', async () => {
  const { cluster } = await shared.get();
  const { code, stderr } = await approve(cluster, 'alice', { decision: 'Denied' }, [], 'ending');
  assert.is(code, 0, stderr);
  await cluster.kubectl(['delete', 'namespace', 'ending', '--wait=false']);
  const name = `decision-${decisions}`;
  const remove = (user: string) =>
    cluster.kubectl(['delete', 'capp', name, '-n', 'ending', '--as', user], { allowFailure: true });
  assert.match((await remove('mallory')).stderr, NOT_ALLOWED);
  // The role of the namespace controller, which has no right to approve.
  await cluster.kubectl([
    'create',
    'clusterrolebinding',
    'ends',
    '--clusterrole=system:controller:namespace-controller',
    '--user=ends',
  ]);
  await eventually('the denial is deleted', async () => (await remove('ends')).code === 0);
});

test('no role of Kubernetes brings the right to approve', async () => {
  const { cluster } = await shared.get();
  const may = async (verb: string) => {
    const question = ['auth', 'can-i', verb, 'certificateapprovals.certwheel.io', '-n', 'shop', '--as', 'eve'];
    return (await cluster.kubectl(question, { allowFailure: true })).code === 0;
  };
  await eventually('the roles are aggregated', () => may('list'));
  for (const verb of ['create', 'update', 'patch']) assert.is(await may(verb), false, verb);
});

test('without the policy the controller does not trust approvals', async () => {
  const { cluster } = await shared.get();
  const rendered = async (...flags: string[]) => helm(cluster, ['template', 'certwheel', CHART, ...flags]);
  assert.match(await rendered(), /--approvals=true/);
  const off = await rendered('--set', 'approvals.enabled=false');
  assert.match(off, /--approvals=false/);
  assert.not.match(off, /-appr\.|certificateapprovals"?\]\n\s*verbs: \["list", "watch"\]/);
});

test.run();

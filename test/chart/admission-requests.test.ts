import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { CERTIFICATE_REQUESTS, CERTIFICATE_SIGNING_REQUESTS as CSRS, type Resource } from '../../src/api/names.ts';
import { systemClock } from '../../src/clock.ts';
import { KubeconfigConnection } from '../../src/kube/auth.ts';
import { KubeClient } from '../../src/kube/client.ts';
import { CSR_LABEL, makeCsr } from '../../src/pki/csr.ts';
import { generateKey } from '../../src/pki/keys.ts';
import { toPem } from '../../src/pki/pem.ts';
import { NO_NAMES } from '../../src/pki/san.ts';
import { eventually, oneWorld, type World } from '../e2e/support/world.ts';
import { ACCOUNT, accountKubeconfig } from './support/account.ts';
import { install, ROOT } from './support/helm.ts';

// The policy over requests for certificates. Of cert-manager there is nothing but a CRD of the same name.

const NOT_MARKED = /only requests that are named certwheel-… and carry the label/;
const NOT_OWN = /approves and removes only requests that it has created itself/;
const NOT_CHANGED = /changes nothing of a request but its approval/;

const QUIET = { debug() {}, info() {}, warn() {}, error() {} };
const MARKS = {
  labels: { 'app.kubernetes.io/managed-by': 'certwheel' },
  annotations: { 'certwheel.io/client-certificate': 'shop/alice' },
};

let request = '';
const shared = oneWorld({ controllers: ['validatingadmissionpolicy-status-controller'] }, async (cluster) => {
  await install(cluster);
  await cluster.kubectl(['create', 'namespace', 'shop']);
  await cluster.kubectl(['apply', '-f', `${ROOT}/examples/authorities/kubernetes-csr/approver.yaml`]);
  const key = await generateKey({ algorithm: 'ECDSA', size: 256 });
  const der = makeCsr({ key, subject: { commonName: 'alice' }, names: NO_NAMES, usages: [] });
  request = Buffer.from(toPem(CSR_LABEL, der)).toString('base64');
  // The API server hears of a policy a moment after it is stored.
  await eventually('the policy holds', async () => NOT_MARKED.test((await make({ cluster }, 'probe', {})).stderr));
});
test.after(shared.stop);

type Here = Pick<World, 'cluster'>;

function asAccount({ cluster }: Here, args: readonly string[], input = '') {
  return cluster.kubectl([...args, '--as', ACCOUNT], { allowFailure: true, input });
}

function objectOf({ group, version, kind, namespaced }: Resource, name: string, metadata: object): string {
  const place = namespaced ? { namespace: 'shop' } : {};
  const issuer = namespaced ? { issuerRef: { name: 'ca' } } : { signerName: 'kubernetes.io/kube-apiserver-client' };
  return JSON.stringify({
    apiVersion: `${group}/${version}`,
    kind,
    metadata: { name, ...place, ...metadata },
    spec: { request, usages: ['client auth'], ...issuer },
  });
}

/** By the chart's account. */
function make(here: Here, name: string, metadata: object, resource: Resource = CSRS) {
  return asAccount(here, ['create', '-f', '-'], objectOf(resource, name, metadata));
}

/** By somebody else. */
async function made({ cluster }: Here, name: string, metadata: object = MARKS, resource: Resource = CSRS) {
  await cluster.kubectl(['create', '-f', '-'], { input: objectOf(resource, name, metadata) });
  return name;
}

const remove = (here: Here, name: string) => asAccount(here, ['delete', 'csr', name]);

/** As the controller does it, with a token of the account; answers why not, where it wasn't let. */
async function approve({ cluster }: Here, name: string): Promise<string> {
  const kubeconfig = await accountKubeconfig(cluster);
  const client = new KubeClient({
    connections: new KubeconfigConnection({ kubeconfig, clock: systemClock, logger: QUIET }),
    clock: systemClock,
  });
  const condition = { type: 'Approved', status: 'True', reason: 'ApprovedByCertwheel', message: 'a test' };
  try {
    await client.apply(CSRS, { metadata: { name }, status: { conditions: [condition] } }, { subresource: 'approval' });
    return '';
  } catch (error) {
    return (error as Error).message;
  } finally {
    await client.close();
  }
}

test('what Certwheel asks for carries its marks, and is its own to approve and to remove', async () => {
  const world = await shared.get();
  const own = await make(world, 'certwheel-own', MARKS);
  assert.is(own.code, 0, own.stderr);
  await eventually('the right to approve is known', async () => (await approve(world, 'certwheel-own')) === '');
  assert.is((await remove(world, 'certwheel-own')).code, 0);
  const unmarked: readonly [string, object][] = [
    ['alice', MARKS],
    ['certwheel-bare', {}],
    ['certwheel-label', { labels: MARKS.labels }],
    ['certwheel-annotation', { annotations: MARKS.annotations }],
    ['certwheel-other', { ...MARKS, labels: { 'app.kubernetes.io/managed-by': 'helm' } }],
    ['certwheel-empty', { ...MARKS, annotations: { 'certwheel.io/client-certificate': '' } }],
  ];
  for (const [name, metadata] of unmarked) {
    const { code, stderr } = await make(world, name, metadata);
    assert.is(code, 1, `${name} was let in`);
    assert.match(stderr, NOT_MARKED, name);
  }
});

test('of others it neither approves nor removes any, whatever they carry', async () => {
  const world = await shared.get();
  const plain = await made(world, 'of-a-person', {});
  assert.match(await approve(world, plain), NOT_MARKED);
  assert.match((await remove(world, plain)).stderr, NOT_MARKED);
  const forged = await made(world, 'certwheel-forged');
  assert.match(await approve(world, forged), NOT_OWN);
  assert.match((await remove(world, forged)).stderr, NOT_OWN);
  await world.cluster.kubectl(['certificate', 'approve', forged]);
  await world.cluster.kubectl(['delete', 'csr', forged]);
});

test('more rights than the chart gives are of no more use', async () => {
  const world = await shared.get();
  const { cluster } = world;
  const binding = ['create', 'clusterrolebinding', 'too-much', '--clusterrole=cluster-admin'];
  await cluster.kubectl([...binding, '--serviceaccount=certwheel-system:certwheel']);
  try {
    assert.is((await make(world, 'certwheel-mine', MARKS)).code, 0);
    const label = ['label', 'csr', 'certwheel-mine', 'a=b'];
    await eventually('it is held to it', async () => NOT_CHANGED.test((await asAccount(world, label)).stderr));
    const status = ['patch', 'csr', 'certwheel-mine', '--subresource=status', '--type=merge'];
    const { stderr } = await asAccount(world, [
      ...status,
      '-p',
      '{"status":{"conditions":[{"type":"Failed","status":"True","reason":"Test"}]}}',
    ]);
    assert.match(stderr, NOT_CHANGED);
  } finally {
    await cluster.kubectl(['delete', 'clusterrolebinding', 'too-much']);
  }
});

test('the same holds for the requests of cert-manager, also where that is installed later', async () => {
  const world = await shared.get();
  const { group, version, plural, kind } = CERTIFICATE_REQUESTS;
  const schema = { openAPIV3Schema: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } };
  const crd = {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: `${plural}.${group}` },
    spec: {
      group,
      names: { plural, kind },
      scope: 'Namespaced',
      versions: [{ name: version, served: true, storage: true, schema }],
    },
  };
  await world.cluster.kubectl(['apply', '-f', '-'], { input: JSON.stringify(crd) });
  await eventually('there are such requests', async () => {
    const { code } = await make(world, 'certwheel-own', MARKS, CERTIFICATE_REQUESTS);
    return code === 0;
  });
  const bare = await make(world, 'certwheel-bare', {}, CERTIFICATE_REQUESTS);
  assert.match(bare.stderr, NOT_MARKED);
  const name = await made(world, 'of-a-person', {}, CERTIFICATE_REQUESTS);
  const removed = (each: string) => asAccount(world, ['delete', `${plural}.${group}`, each, '-n', 'shop']);
  assert.match((await removed(name)).stderr, NOT_MARKED);
  assert.is((await removed('certwheel-own')).code, 0);
});

test('Kubernetes finds no fault in any of the policies', async () => {
  const { cluster } = await shared.get();
  const policies = await eventually('all of them have been looked at', async () => {
    const { stdout } = await cluster.kubectl(['get', 'validatingadmissionpolicies', '--output=json']);
    const { items } = JSON.parse(stdout) as { items: { status?: { typeChecking?: object } }[] };
    return items.every(({ status }) => status?.typeChecking !== undefined) && items;
  });
  assert.equal(
    policies.map(({ status }) => status?.typeChecking),
    Array(8).fill({}),
  );
});

test.run();

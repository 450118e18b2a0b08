import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { CLUSTER_CERTIFICATE_AUTHORITIES, SECRETS } from '../../src/api/names.ts';
import { untilClusterAuthority } from '../e2e/backends/place.ts';
import { bugs } from '../e2e/process/support/fleet.ts';
import { launchController, startController } from '../e2e/support/controller-process.ts';
import { createSecret, untilRevision } from '../e2e/support/edits.ts';
import { clientCertificate, create, readSecret, untilReady } from '../e2e/support/objects.ts';
import { makeCa, tlsData } from '../e2e/support/openssl.ts';
import { eventually, oneWorld, type World } from '../e2e/support/world.ts';
import { ACCOUNT, accountKubeconfig, provesGolden, requestsOfAccount } from './support/account.ts';
import { CHART, helm, install, NAMESPACE } from './support/helm.ts';
import { QUICK } from './support/issued.ts';

// Single namespaces, and ClusterCertificateAuthorities all the same.

const SERVED = ['shop', 'bank'];
const ARGS = ['--controller-namespace', NAMESPACE, '--namespaces', SERVED.join(','), '--cluster-authorities'];
const shared = oneWorld({}, async (cluster) => {
  for (const namespace of [...SERVED, 'other']) await cluster.kubectl(['create', 'namespace', namespace]);
  await install(cluster, { namespaces: SERVED, controller: { clusterAuthorities: true } });
});
test.after(shared.stop);

function authority({ client }: World, name: string, allowedNamespaces: object, backend?: object) {
  const spec = { ...(backend ?? { selfManaged: { commonName: name } }), allowedNamespaces };
  return client.create(CLUSTER_CERTIFICATE_AUTHORITIES, { metadata: { name }, spec });
}

const of = (name: string) => ({ ...QUICK, authorityRef: { kind: 'ClusterCertificateAuthority', name } });

test('the account may read cluster authorities and write their status, and nothing else outside of its namespaces', async () => {
  const { cluster } = await shared.get();
  for (const namespace of SERVED) await provesGolden(cluster, 'cluster-authorities-served.txt', namespace);
  await provesGolden(cluster, 'cluster-authorities-own-namespace.txt', NAMESPACE);
  await provesGolden(cluster, 'cluster-authorities-elsewhere.txt', 'other');
});

test('authorities that need no labels of namespaces are served, and others say why not', async () => {
  const world = await shared.get();
  await createSecret(world, NAMESPACE, 'corporate', {
    type: 'kubernetes.io/tls',
    data: tlsData(await makeCa('Corporate')),
  });
  await authority(world, 'listed', { names: ['shop'] });
  await authority(world, 'everywhere', { all: true }, { secret: { name: 'corporate' } });
  await authority(world, 'selected', { selector: { matchLabels: { team: 'a' } } });
  for (const namespace of SERVED)
    for (const name of ['listed', 'everywhere', 'selected'])
      await create(world, clientCertificate(namespace, name, of(name)));

  const controller = await startController(await accountKubeconfig(world.cluster), ARGS);
  for (const [namespace, name] of [
    ['shop', 'listed'],
    ['shop', 'everywhere'],
    ['bank', 'everywhere'],
  ] as const) {
    await untilReady(world, namespace, name);
    await untilRevision(world, namespace, `${name}-tls`, 2);
  }
  await untilReady(world, 'bank', 'listed', { status: 'False', reason: 'NamespaceNotAllowed' });
  const refused = { status: 'False', reason: 'ClusterAuthorityNotServed' } as const;
  await untilClusterAuthority(world, 'selected', { ...refused, says: 'list names instead' });
  for (const namespace of SERVED) await untilReady(world, namespace, 'selected', refused);

  assert.is(await controller.stop(), 0);
  assert.equal(bugs(controller.logs), []);
  const requests = await requestsOfAccount(world.cluster);
  assert.equal(
    requests.filter(({ code }) => code === 403),
    [],
  );
  const elsewhere = requests.filter(({ namespace = '' }) => ![...SERVED, NAMESPACE].includes(namespace));
  assert.equal([...new Set(elsewhere.map(({ resource }) => resource))].sort(), [
    'clustercertificateauthorities.certwheel.io',
    'clustercertificateauthorities.certwheel.io/status',
  ]);
});

test('the next start finds the CA generations again', async () => {
  const world = await shared.get();
  const bundle = async () => (await readSecret(world, 'shop', 'listed-tls'))?.bundle;
  const before = await bundle();
  const controller = await startController(await accountKubeconfig(world.cluster), ARGS);
  await create(world, clientCertificate('shop', 'late', of('listed')));
  await untilReady(world, 'shop', 'late');
  await controller.stop();
  const selector = 'certwheel.io/authority-name';
  const { items } = await world.client.list(SECRETS, { namespace: NAMESPACE, labelSelector: selector });
  assert.equal(items.map(({ metadata }) => metadata?.name).sort(), ['everywhere-clusterca-v1', 'listed-clusterca-v1']);
  assert.is(await bundle(), before);
});

test('in the namespace of their keys the account writes nothing but CA generations of the cluster', async () => {
  const { cluster } = await shared.get();
  const apply = async (name: string, kind: string) => {
    const labels = { 'certwheel.io/authority-name': 'mine', 'certwheel.io/authority-kind': kind };
    const metadata = { namespace: NAMESPACE, name, labels };
    const data = { 'tls.crt': '', 'tls.key': '' };
    const object = { apiVersion: 'v1', kind: 'Secret', metadata, type: 'kubernetes.io/tls', data };
    const args = ['apply', '--server-side', '--dry-run=server', '-f', '-', '--as', ACCOUNT];
    const { code, stderr } = await cluster.kubectl(args, { allowFailure: true, input: JSON.stringify(object) });
    return code === 0 ? '' : stderr;
  };
  assert.match(await apply('mine-ca-v1', 'CertificateAuthority'), /A Secret that Certwheel creates carries its marks/);
  assert.is(await apply('mine-clusterca-v1', 'ClusterCertificateAuthority'), '');
});

test('a namespace of their keys that is to be served and has no Role for that ends the start', async () => {
  const { cluster } = await shared.get();
  const controller = launchController(await accountKubeconfig(cluster), [...ARGS, '--namespaces', `shop,${NAMESPACE}`]);
  assert.is((await controller.exited).code, 1);
  assert.is(controller.errors.length, 1);
  assert.match(controller.errors[0] ?? '', /where the CA keys of ClusterCertificateAuthorities are, can't be served/);
});

test('without these rights the controller ends with one line that says so', async () => {
  const { cluster } = await shared.get();
  await helm(cluster, [
    'upgrade',
    'certwheel',
    CHART,
    '-n',
    NAMESPACE,
    '--reuse-values',
    '--set',
    'controller.clusterAuthorities=false',
  ]);
  const question = ['auth', 'can-i', 'list', 'clustercertificateauthorities.certwheel.io', '--as', ACCOUNT];
  await eventually('the right is gone', async () => {
    const { code } = await cluster.kubectl(question, { allowFailure: true });
    return code !== 0;
  });
  const controller = launchController(await accountKubeconfig(cluster), ARGS);
  assert.is((await controller.exited).code, 1);
  assert.is(controller.errors.length, 1);
  assert.match(controller.errors[0] ?? '', /install the chart's ClusterRole, or leave out --cluster-authorities/);
});

test.run();

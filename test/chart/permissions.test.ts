import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { CLUSTER_PERMISSIONS, LEASE_PERMISSIONS, NAMESPACED_PERMISSIONS } from '../../src/api/permissions.ts';
import { startSwap, stopSwaps } from '../e2e/authority/swap.ts';
import { holder } from '../e2e/process/support/access.ts';
import { bugs } from '../e2e/process/support/fleet.ts';
import { startController } from '../e2e/support/controller-process.ts';
import { createSecret } from '../e2e/support/edits.ts';
import { clientCertificate, create, untilReady } from '../e2e/support/objects.ts';
import { eventsOf } from '../e2e/support/told.ts';
import { eventually, oneWorld } from '../e2e/support/world.ts';
import { accountKubeconfig, provesGolden, requestsOfAccount } from './support/account.ts';
import { install, NAMESPACE } from './support/helm.ts';
import { clusterAuthority, issueAndRenew } from './support/issued.ts';

const shared = oneWorld({}, async (cluster) => void (await install(cluster)));
test.after(stopSwaps);
test.after(shared.stop);

test('the account may do what is written down, and nothing else', async () => {
  const { cluster } = await shared.get();
  await provesGolden(cluster, 'cluster.txt', 'default');
  await provesGolden(cluster, 'cluster-own-namespace.txt', NAMESPACE);
});

test('with nothing but the roles of the chart, and under its policy, everything works', async () => {
  const world = await shared.get();
  const args = ['--leader-elect', '--controller-namespace', NAMESPACE, '--trust-propagation', '1s'];
  const controller = await startController(await accountKubeconfig(world.cluster), args);

  const namespace = await world.namespace();
  await issueAndRenew(world, namespace);
  await eventually('its first issue is told', async () => (await eventsOf(world, namespace, 'alice')).length > 0);
  assert.ok(await holder(world, NAMESPACE));

  await createSecret(world, namespace, 'bob-tls', {
    type: 'kubernetes.io/tls',
    data: { 'tls.crt': '', 'tls.key': '' },
    annotations: { 'certwheel.io/adopt': 'bob' },
  });
  await create(world, clientCertificate(namespace, 'bob'));
  await untilReady(world, namespace, 'bob');

  await clusterAuthority(world, 'everywhere');
  const authorityRef = { kind: 'ClusterCertificateAuthority', name: 'everywhere' };
  await create(world, clientCertificate(namespace, 'carol', { authorityRef }));
  await untilReady(world, namespace, 'carol');

  const swap = await startSwap(world, { clients: ['dave'] });
  await swap.put(swap.cas.v2);
  await swap.untilOnly(swap.cas.v2);
  assert.equal(swap.traffic.failures(), []);
  await swap.stop();

  assert.is(await controller.stop(), 0);
  assert.equal(bugs(controller.logs), []);
  const requests = await requestsOfAccount(world.cluster);
  assert.equal(
    requests.filter(({ code }) => code === 403),
    [],
  );
});

test('every permission of the roles is needed', async () => {
  const { cluster } = await shared.get();
  const used = new Set((await requestsOfAccount(cluster)).map(({ verb, resource }) => `${verb} ${resource}`));
  const permissions = [...NAMESPACED_PERMISSIONS, ...CLUSTER_PERMISSIONS, ...LEASE_PERMISSIONS];
  const granted = permissions.flatMap(({ apiGroups, resources, verbs }) =>
    resources.flatMap((resource) => {
      const [plural, ...sub] = resource.split('/');
      const name = [`${plural}${apiGroups[0] === '' ? '' : `.${apiGroups[0]}`}`, ...sub].join('/');
      return verbs.map((verb) => `${verb} ${name}`);
    }),
  );
  // A server-side apply that creates needs both verbs, and is a patch in the audit log.
  assert.equal(
    granted.filter((each) => !used.has(each)),
    ['create secrets', 'create events.events.k8s.io', 'create leases.coordination.k8s.io'],
  );
  assert.equal(
    [...used].filter((each) => !granted.includes(each)),
    [],
  );
});

test.run();

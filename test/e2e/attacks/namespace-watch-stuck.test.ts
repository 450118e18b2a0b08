import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { CLUSTER_CERTIFICATE_AUTHORITIES, NAMESPACES } from '../../../src/api/names.ts';
import { untilClusterAuthority } from '../backends/place.ts';
import { ALWAYS, AWAY, failWatch } from '../kube/fail-watch.ts';
import { type Matcher, startFaultProxy } from '../kube/fault-proxy.ts';
import { lines } from '../process/support/fleet.ts';
import { startController } from '../support/controller-process.ts';
import { patch } from '../support/edits.ts';
import { lazily } from '../support/lazily.ts';
import { clientCertificate, conditionOf, create, readSecret, untilReady } from '../support/objects.ts';
import { oneWorld } from '../support/world.ts';

// The attack: a namespace loses the label by which an authority serves it, while the controller's watch of namespaces fails.

const shared = oneWorld();
test.after(shared.stop);

const scene = lazily(async () => {
  const world = await shared.get();
  const [home, namespace] = [await world.namespace(), await world.namespace({ tier: 'platform' })];
  const proxy = await startFaultProxy(world.cluster.kubeconfigPath);
  const controller = await startController(proxy.kubeconfigPath, ['--controller-namespace', home]);
  const selector = { matchLabels: { tier: 'platform' } };
  const spec = { selfManaged: { commonName: namespace }, allowedNamespaces: { selector } };
  await world.client.create(CLUSTER_CERTIFICATE_AUTHORITIES, { metadata: { name: namespace }, spec });
  await untilClusterAuthority(world, namespace);
  const isRead: Matcher = ({ path, query }) =>
    path === '/api/v1/namespaces' && query.get('fieldSelector') === `metadata.name=${namespace}`;
  const authorityRef = { kind: 'ClusterCertificateAuthority', name: namespace };
  return {
    world,
    proxy,
    controller,
    namespace,
    isRead,
    reads: () => proxy.requests.filter(isRead).length,
    signed: (name: string) => lines(controller.logs, 'signing', name).length,
    ask: (name: string) => create(world, clientCertificate(namespace, name, { authorityRef })),
    label: (tier: string | null) => patch(world, NAMESPACES, undefined, namespace, { metadata: { labels: { tier } } }),
  };
});

test('the control: while the watch is well, a labelled namespace is served, and nothing is read for that', async () => {
  const { world, namespace, ask, reads } = await scene.get();
  await ask('before');
  await untilReady(world, namespace, 'before');
  assert.is(reads(), 0);
});

test('while the watch fails, a namespace that lost its label gets no certificate', async () => {
  const { world, proxy, controller, namespace, isRead, ask, label, reads, signed } = await scene.get();
  const mendWatch = await failWatch(proxy, controller, NAMESPACES);

  const mendRead = proxy.when(isRead, AWAY, ALWAYS);
  await ask('unread');
  const unread = await untilReady(world, namespace, 'unread', { status: 'False', reason: 'AuthorityNotReady' });
  assert.match(conditionOf(unread, 'Ready')?.message ?? '', "namespaces can't be read and their watch may be behind");
  assert.is(signed('unread'), 0);
  mendRead();
  await untilReady(world, namespace, 'unread');
  assert.ok(reads() > 1);

  await label(null);
  await ask('late');
  await untilReady(world, namespace, 'late', { status: 'False', reason: 'NamespaceNotAllowed' });
  assert.is(await readSecret(world, namespace, 'late-tls'), undefined);
  assert.is(signed('late'), 0);

  mendWatch();
  await label('platform');
  await untilReady(world, namespace, 'late');
});

test.run();

import { test } from 'uvu';
import * as assert from 'uvu/assert';
import {
  CERTIFICATE_APPROVALS,
  CLIENT_CERTIFICATES,
  CLUSTER_CERTIFICATE_AUTHORITIES,
  type Resource,
  resourcePath,
} from '../../../src/api/names.ts';
import { ALWAYS, AWAY, failWatch } from '../kube/fail-watch.ts';
import { type FaultProxy, type Matcher, startFaultProxy } from '../kube/fault-proxy.ts';
import { decide } from '../support/approvals.ts';
import { startController } from '../support/controller-process.ts';
import { patch } from '../support/edits.ts';
import { eventually } from '../support/eventually.ts';
import { lazily } from '../support/lazily.ts';
import { clientCertificate, conditionOf, create, readSecret, statusOf, untilReady } from '../support/objects.ts';
import { signatures } from '../support/recorded.ts';
import { authorityWithRules, setRules } from '../support/rules.ts';
import { oneWorld, type World } from '../support/world.ts';

// The attack: a rule is removed, or a request denied, while the controller's watch of authorities, or of approvals, fails; the
// tenant has a certificate issued by what the controller remembers.

const shared = oneWorld();
test.after(shared.stop);

const RULE = { name: 'clients', namespaces: { all: true }, commonNames: ['open-*'] };
const SEEN = { name: 'seen', namespaces: { all: true }, commonNames: ['seen-*'], approval: 'Required' };

const scene = lazily(async () => {
  const world = await shared.get();
  const [home, namespace] = [await world.namespace(), await world.namespace()];
  const proxy = await startFaultProxy(world.cluster.kubeconfigPath);
  const controller = await startController(proxy.kubeconfigPath, ['--controller-namespace', home, '--approvals']);
  const authorityRef = await authorityWithRules(world, namespace, [RULE, SEEN]);
  return {
    world,
    proxy,
    controller,
    namespace,
    signed: (name: string) => signatures(controller, namespace, name),
    ask: (name: string) => create(world, clientCertificate(namespace, name, { authorityRef })),
    setRules: (rules: readonly object[]) => setRules(world, namespace, rules),
  };
});

/** Not the lists with which watches begin: those are of all namespaces, and without a selector. */
const isReadOf =
  (resource: Resource, namespace?: string): Matcher =>
  ({ path, query, watch }) =>
    !watch && path === resourcePath(resource, namespace) && (namespace !== undefined || query.has('fieldSelector'));

const reads = ({ requests }: FaultProxy, resource: Resource, namespace?: string) =>
  requests.filter(isReadOf(resource, namespace)).length;

async function approved(world: World, namespace: string, name: string): Promise<void> {
  await untilReady(world, namespace, name, { status: 'False', reason: 'ApprovalPending' });
  await decide(world, namespace, name);
}

test('the control: while the watches are well, a rule and an approval count, and nothing is read for that', async () => {
  const { world, proxy, namespace, ask } = await scene.get();
  const count = () => reads(proxy, CLUSTER_CERTIFICATE_AUTHORITIES) + reads(proxy, CERTIFICATE_APPROVALS, namespace);
  const before = count();
  await ask('open-first');
  await untilReady(world, namespace, 'open-first');
  await ask('seen-first');
  await approved(world, namespace, 'seen-first');
  await untilReady(world, namespace, 'seen-first');
  assert.is(count() - before, 0);
});

test('while the watch of authorities fails, a rule that was removed issues nothing, and one that was added does', async () => {
  const { world, proxy, controller, namespace, ask, setRules, signed } = await scene.get();
  const mend = await failWatch(proxy, controller, CLUSTER_CERTIFICATE_AUTHORITIES);
  await ask('open-control');
  await untilReady(world, namespace, 'open-control');

  await setRules([SEEN]);
  await ask('open-late');
  await untilReady(world, namespace, 'open-late', { status: 'False', reason: 'DeniedByPolicy' });
  assert.is(await readSecret(world, namespace, 'open-late-tls'), undefined);
  assert.is(signed('open-late'), 0);
  assert.ok(reads(proxy, CLUSTER_CERTIFICATE_AUTHORITIES) > 0);

  mend();
  await setRules([RULE, SEEN]);
  await untilReady(world, namespace, 'open-late');
});

test('while authorities can be neither watched nor read, nothing is issued, and the status says so', async () => {
  const { world, proxy, controller, namespace, ask, signed } = await scene.get();
  const mendRead = proxy.when(isReadOf(CLUSTER_CERTIFICATE_AUTHORITIES), AWAY, ALWAYS);
  const mendWatch = await failWatch(proxy, controller, CLUSTER_CERTIFICATE_AUTHORITIES);
  await ask('open-unread');
  const status = await untilReady(world, namespace, 'open-unread', { status: 'False', reason: 'AuthorityNotReady' });
  assert.match(
    conditionOf(status, 'Ready')?.message ?? '',
    "clustercertificateauthorities can't be read and their watch may be behind",
  );
  assert.is(signed('open-unread'), 0);
  mendRead();
  await untilReady(world, namespace, 'open-unread');
  mendWatch();
});

test('while the watch of approvals fails, a denial and a deletion count, and so does a new approval', async () => {
  const { world, proxy, controller, namespace, ask, signed } = await scene.get();
  const names = ['seen-kept', 'seen-denied', 'seen-deleted'];
  for (const name of names) {
    await ask(name);
    await approved(world, namespace, name);
    await untilReady(world, namespace, name);
  }
  const mend = await failWatch(proxy, controller, CERTIFICATE_APPROVALS);
  const { items } = await world.client.list(CERTIFICATE_APPROVALS, { namespace });
  const former = items.find(({ metadata }) => metadata?.name?.startsWith('seen-deleted'))?.metadata?.name ?? '';
  await world.client.delete(CERTIFICATE_APPROVALS, namespace, former);
  await decide(world, namespace, 'seen-denied', { decision: 'Denied' });
  const renew = { metadata: { annotations: { 'certwheel.io/renew-at': new Date().toISOString() } } };
  for (const name of names) await patch(world, CLIENT_CERTIFICATES, namespace, name, renew);
  await eventually('the approved one is renewed', async () => {
    return (await statusOf(world, namespace, 'seen-kept')).revision === 2;
  });
  for (const [name, reason] of [
    ['seen-denied', 'ApprovalDenied'],
    ['seen-deleted', 'ApprovalPending'],
  ] as const) {
    await eventually(`${name} is refused`, async () => {
      const { conditions = [], lastFailure } = await statusOf(world, namespace, name);
      return lastFailure?.reason === reason || conditions.some((each) => each.reason === reason);
    });
    assert.is(signed(name), 1);
  }
  mend();
});

test.run();

import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { startFaultProxy } from '../kube/fault-proxy.ts';
import { startController } from '../support/controller-process.ts';
import { eventually } from '../support/eventually.ts';
import { loggedAt } from '../support/moments.ts';
import { clientCertificate, create, untilReady } from '../support/objects.ts';
import { oneWorld } from '../support/world.ts';
import { holder } from './support/access.ts';
import { lines, numbered } from './support/fleet.ts';

const shared = oneWorld();
test.after(shared.stop);

const COUNT = 12;
/** Far more than the events get, far less than their requests would take. */
const SOON_MS = 10_000;

test('a stop gives back the Lease and ends, though the API server takes no event', async () => {
  const world = await shared.get();
  const namespace = await world.namespace();
  const proxy = await startFaultProxy(world.cluster.kubeconfigPath);
  const isEvent = ({ path, method }: { path: string; method: string }) => path.includes('/events') && method !== 'GET';
  proxy.when(isEvent, { kind: 'hang' }, { times: Number.POSITIVE_INFINITY });
  const controller = await startController(proxy.kubeconfigPath, [
    ...['--namespaces', namespace, '--leader-elect', '--leader-elect-namespace', namespace],
  ]);
  await eventually('it leads', () => lines(controller.logs, 'became the leader').length > 0);
  // Each has something to tell: its authority doesn't exist.
  for (const name of numbered(COUNT)) await create(world, clientCertificate(namespace, name));
  for (const name of numbered(COUNT))
    await untilReady(world, namespace, name, { status: 'False', reason: 'AuthorityNotFound' });
  await eventually('an event is under way', () => proxy.requests.some(isEvent));
  const stopped = controller.stop();
  await eventually('the Lease is free', async () => (await holder(world, namespace)) === '', SOON_MS);
  assert.is(await stopped, 0);
  const [begin] = lines(controller.logs, 'stopping');
  const [end] = lines(controller.logs, 'stopped');
  assert.ok(loggedAt(end).getTime() - loggedAt(begin).getTime() < SOON_MS);
  const [dropped] = lines(controller.logs, 'events were dropped, since they could not be written before the stop');
  assert.ok(Number(dropped?.events) >= COUNT - 1, `${dropped?.events} events were dropped`);
});

test.run();

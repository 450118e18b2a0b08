import { setTimeout as sleep } from 'node:timers/promises';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { secretAuthority } from '../support/ca-secret.ts';
import { startController } from '../support/controller-process.ts';
import { createAuthority, selfManaged } from '../support/objects.ts';
import { oneWorld } from '../support/world.ts';
import { clusterUser } from './support/access.ts';
import { isOnLease, requestsOf, shortly } from './support/audit.ts';
import { createAll, numbered, untilAllReady, untilQuiet } from './support/fleet.ts';

/** For this long nothing but the Lease is written. */
const MINUTE = 60_000;

const shared = oneWorld();
test.after(shared.stop);

// Longer than any other file, since a minute without a request takes a minute.
test('with nothing due, one minute sees no request but those of the Lease', async () => {
  const world = await shared.get();
  const controller = await startController(await clusterUser(world, 'idle'), ['--leader-elect']);
  const namespaces = [await world.namespace(), await world.namespace()] as const;
  await secretAuthority(world, namespaces[0]);
  await createAuthority(world, selfManaged(namespaces[1]));
  for (const namespace of namespaces) await createAll(world, namespace, numbered(10));
  for (const namespace of namespaces) await untilAllReady(world, namespace, 10);
  for (const namespace of namespaces) await untilQuiet(world, namespace);
  const since = new Date();
  await sleep(MINUTE);
  // The server ends each watch after 240 to 300 s and it is opened again at once; none is that old yet, so none is
  // excused here.
  const all = await requestsOf(world, 'idle', since);
  // The test itself may have slept longer.
  const requests = all.filter((each) => Date.parse(each.requestReceivedTimestamp) < since.getTime() + MINUTE);
  assert.equal(requests.filter((each) => !isOnLease(each)).map(shortly), []);
  const onLease = requests.filter(isOnLease).map(shortly);
  assert.ok(
    onLease.every((each) => each === 'patch leases'),
    String(onLease),
  );
  // Every 5 s, a fifth more or less.
  assert.ok(onLease.length >= 9 && onLease.length <= 16, `${onLease.length} renewals of the Lease`);
  await controller.stop();
});

test.run();

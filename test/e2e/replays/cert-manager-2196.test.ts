/**
 * https://github.com/cert-manager/cert-manager/issues/2196: another controller undoes what was written about a resource, so
 * that each of the two wakes the other: 600 requests a minute.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { CLIENT_CERTIFICATES, resourcePath } from '../../../src/api/names.ts';
import { auditEvents } from '../process/support/audit.ts';
import { clientCertificate, conditionOf, create, statusOf, untilReady } from '../support/objects.ts';
import { plainApi } from '../support/plain-api.ts';
import { signatures } from '../support/recorded.ts';
import { oneScene } from '../support/scene.ts';

/** For this long each status is undone. */
const FIGHT_MS = 15_000;
/** Twenty at once, then one in two seconds; and a few of the first issue. */
const MOST_WRITES = 20 + FIGHT_MS / 2_000 + 3;

const scene = oneScene();
test.after(scene.stop);

test('a status that another controller undoes each time is written ever more slowly, and comes back', async () => {
  const { world, controller, namespace } = await scene.get();
  await create(world, clientCertificate(namespace, 'alice'));
  await untilReady(world, namespace, 'alice');
  const path = `${resourcePath(CLIENT_CERTIFICATES, namespace, 'alice')}/status`;
  const api = plainApi(world.cluster);
  const endsAt = Date.now() + FIGHT_MS;
  let undone = 0;
  for (; Date.now() < endsAt; await sleep(10)) {
    if (conditionOf(await statusOf(world, namespace, 'alice'), 'Ready')?.status !== 'True') continue;
    await api.send('PATCH', path, { status: { conditions: null } }, 'application/merge-patch+json');
    undone++;
  }
  assert.ok(undone >= 20, `undone ${undone} times`);
  const writes = (await auditEvents(world)).filter(
    ({ requestURI, stage }) =>
      stage === 'ResponseComplete' && requestURI.includes(`${path}?`) && requestURI.includes('fieldManager=certwheel'),
  );
  assert.ok(writes.length >= undone && writes.length <= MOST_WRITES, `${writes.length} writes`);
  await untilReady(world, namespace, 'alice');
  assert.is(signatures(controller, namespace, 'alice'), 1);
});

test.run();

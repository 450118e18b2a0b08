/**
 * https://github.com/cert-manager/trust-manager/issues/971: a target whose metadata comes from a template is written again every
 * few seconds, although no other program changes it.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { writesTo } from '../process/support/audit.ts';
import { patchCertificate, patchSecret } from '../support/edits.ts';
import { clientCertificate, create, untilReady } from '../support/objects.ts';
import { oneScene } from '../support/scene.ts';

/** Longer than the few seconds between two writes of the fault. */
const QUIET_MS = 15_000;
const TEMPLATE = {
  labels: { 'cluster-layer': 'foundation-platform-init', infrastructure: 'true', empty: '' },
  annotations: { 'example.com/json': '{"a": [1, 2]}', 'example.com/lines': 'one\ntwo\n', 'example.com/empty': '' },
};

const scene = oneScene();
test.after(scene.stop);

test('a Secret with a template is written once for each change of it, whatever else wakes the controller', async () => {
  const { world, controller, namespace } = await scene.get();
  await create(world, clientCertificate(namespace, 'alice', { secretTemplate: TEMPLATE }));
  await untilReady(world, namespace, 'alice');
  const writes = async () => (await writesTo(world, 'secrets', namespace, 'alice-tls')).length;
  assert.is(await writes(), 1);
  // Fields of other writers stay.
  await patchSecret(world, namespace, 'alice-tls', { metadata: { labels: { team: 'shop' } }, data: { extra: 'eA==' } });
  await patchCertificate(world, namespace, 'alice', { metadata: { labels: { looked: 'at' } } });
  await sleep(QUIET_MS);
  assert.is(await writes(), 2, 'that one, by the test');
  assert.is(await controller.stop(), 0);
  await world.controller();
  await sleep(QUIET_MS);
  assert.is(await writes(), 2);
  assert.is((await writesTo(world, 'clientcertificates/status', namespace, 'alice')).length, 1);
});

test.run();

/**
 * https://github.com/ansible/awx-operator/issues/228 (also kubernetes/kubernetes 50886): in a namespace that is being deleted
 * the Secret goes before the resource, and the controller writes it back without a pause, which is refused each time.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { NAMESPACES, SECRETS } from '../../../src/api/names.ts';
import { deleteSecret } from '../support/edits.ts';
import { clientCertificate, conditionOf, create, untilReady } from '../support/objects.ts';
import { signatures } from '../support/recorded.ts';
import { oneScene } from '../support/scene.ts';

/** The attempts of this time are counted. */
const WHILE_MS = 20_000;
/** At once, and after 1, 2, 4 and 8 s, each a quarter sooner at most. */
const MOST_ATTEMPTS = 6;

const scene = oneScene();
test.after(scene.stop);

test('a Secret that is lost in a namespace that is being deleted is retried ever more slowly, and the reason is reported', async () => {
  const { world, controller, namespace } = await scene.get();
  await create(world, clientCertificate(namespace, 'alice'));
  await untilReady(world, namespace, 'alice');
  // No controller empties it here, so it stays until the end.
  await world.client.delete(NAMESPACES, undefined, namespace);
  await deleteSecret(world, namespace, 'alice-tls');
  const status = await untilReady(world, namespace, 'alice', { status: 'False', reason: 'SecretRefused' });
  assert.match(conditionOf(status, 'Ready')?.message ?? '', `${namespace} because it is being terminated`);
  await sleep(WHILE_MS);
  const attempts = signatures(controller, namespace, 'alice') - 1;
  assert.ok(attempts <= MOST_ATTEMPTS, `${attempts} attempts`);
  assert.is(await world.client.get(SECRETS, namespace, 'alice-tls'), undefined);
});

test.run();

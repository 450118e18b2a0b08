/**
 * https://github.com/cert-manager/cert-manager/issues/3294: where a quota leaves no room for the Secret of a certificate, its
 * status says that the Secret isn't there, and the quota is named in the log of the controller alone.
 */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { SECRETS } from '../../../src/api/names.ts';
import { writesTo } from '../process/support/audit.ts';
import { clientCertificate, conditionOf, create, untilReady } from '../support/objects.ts';
import { usedUp } from '../support/quota.ts';
import { eventsOf, signatures } from '../support/recorded.ts';
import { oneScene } from '../support/scene.ts';
import { eventually } from '../support/world.ts';

const FULL = { 'count/secrets': '1' };
const SAYS = /exceeded quota: few/;

const scene = oneScene();
test.after(scene.stop);

test('a full quota is named by every condition and an event, and its end is noticed within a minute', async () => {
  const { world, controller, namespace } = await scene.get();
  await eventually('the CA is stored', () => world.client.get(SECRETS, namespace, 'ca-ca-v1'));
  const remove = await usedUp(world, namespace, 'few', FULL);
  await create(world, clientCertificate(namespace, 'alice'));
  const status = await untilReady(world, namespace, 'alice', { status: 'False', reason: 'SecretRefused' });
  for (const type of ['Ready', 'Issuing']) assert.match(conditionOf(status, type)?.message ?? '', SAYS);
  await eventually('an event names it', async () =>
    (await eventsOf(world, namespace, 'alice')).some(({ note }) => SAYS.test(note)),
  );
  await eventually(
    'the pauses grow',
    async () => (await writesTo(world, 'clientcertificates/status', namespace, 'alice')).length >= 5,
  );
  const written = await writesTo(world, 'clientcertificates/status', namespace, 'alice');
  const [first, fifth] = [written[0]?.getTime() ?? 0, written[4]?.getTime() ?? 0];
  assert.ok(fifth - first >= 10_000, `five attempts within ${fifth - first} ms`);
  assert.is(
    signatures(controller, namespace, 'alice'),
    1,
    'the attempts after the first are rehearsed, and sign nothing',
  );
  await remove();
  await untilReady(world, namespace, 'alice');
});

test.run();

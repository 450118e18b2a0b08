import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { ADOPT_ANNOTATION, CLIENT_CERTIFICATES, SECRETS } from '../../../src/api/names.ts';
import { metricsOf } from '../process/support/metrics.ts';
import { patchSecret } from '../support/edits.ts';
import { clientCertificate, conditionOf, create, untilReady } from '../support/objects.ts';
import { eventsOf, signatures } from '../support/recorded.ts';
import { oneScene } from '../support/scene.ts';
import { eventually } from '../support/world.ts';

const SOON_MS = 5_000;
const scene = oneScene();
test.after(scene.stop);

test('a Secret of a resource that was restored under another uid is reported with its expiry, and handed over by a person', async () => {
  const { world, controller, namespace } = await scene.get();
  await create(world, clientCertificate(namespace, 'back', { duration: '1m', deletionPolicy: 'Retain' }));
  await untilReady(world, namespace, 'back');
  await world.client.delete(CLIENT_CERTIFICATES, namespace, 'back');
  const before = await world.client.get(SECRETS, namespace, 'back-tls');

  await create(world, clientCertificate(namespace, 'back', { duration: '1m', deletionPolicy: 'Retain' }));
  const refused = await untilReady(world, namespace, 'back', { status: 'False', reason: 'SecretNotOwned' }, SOON_MS);
  const { notAfter = '' } = refused;
  assert.ok(Date.parse(notAfter) > Date.now(), notAfter);
  assert.is(refused.serialNumber, undefined);
  const command = `kubectl annotate secret -n ${namespace} back-tls --overwrite certwheel.io/adopt=back`;
  const earlier = `Secret back-tls was written for an earlier ClientCertificate of this name; to hand it over: ${command}`;
  assert.is(conditionOf(refused, 'Ready')?.message, earlier);
  assert.is(
    (await metricsOf(controller)).value('certwheel_certificate_not_after_timestamp_seconds', {
      namespace,
      name: 'back',
    }),
    Date.parse(notAfter) / 1_000,
  );

  const isExpired = { status: 'False', reason: 'Expired' };
  const expired = await untilReady(world, namespace, 'back', isExpired, Date.parse(notAfter) - Date.now() + SOON_MS);
  assert.is(conditionOf(expired, 'Ready')?.message, `the certificate expired at ${notAfter}; ${earlier}`);
  assert.is(expired.notAfter, notAfter);
  await eventually('an event says so', async () => {
    const events = await eventsOf(world, namespace, 'back');
    return events.some(({ note }) => note === `the certificate expired at ${notAfter}`);
  });
  assert.equal(await world.client.get(SECRETS, namespace, 'back-tls'), before);
  assert.is(signatures(controller, namespace, 'back'), 1);

  await patchSecret(world, namespace, 'back-tls', { metadata: { annotations: { [ADOPT_ANNOTATION]: 'back' } } });
  await untilReady(world, namespace, 'back', {}, SOON_MS);
  assert.is(signatures(controller, namespace, 'back'), 2);
});

test.run();

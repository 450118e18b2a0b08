/**
 * https://github.com/cert-manager/cert-manager/issues/6992: two Certificates name one Secret and differ in their key stores, so each
 * writes it back, without an end and without a pause. Also 5755: where the CA is unknown there is no trust store, whose absence has
 * the certificate issued again and again.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { writesTo } from '../process/support/audit.ts';
import { createSecret, patchSecret } from '../support/edits.ts';
import { QUIET_MS } from '../support/eventually.ts';
import { clientCertificate, create, readSecret, untilReady } from '../support/objects.ts';
import { signatures } from '../support/recorded.ts';
import { oneScene } from '../support/scene.ts';
import { eventually } from '../support/world.ts';

const scene = oneScene();
test.after(scene.stop);

test('of two with one Secret and different key stores the first keeps it, and a trust store that is removed is written once', async () => {
  const { world, controller, namespace } = await scene.get();
  await createSecret(world, namespace, 'store', { data: { password: 'Y2hhbmdlaXQ=' } });
  const passwordSecretRef = { name: 'store', key: 'password' };
  const common = { secretName: 'common-tls', commonName: 'client' };
  await create(
    world,
    clientCertificate(namespace, 'first', { ...common, keystores: { jks: { create: true, passwordSecretRef } } }),
  );
  await untilReady(world, namespace, 'first');
  await create(
    world,
    clientCertificate(namespace, 'second', { ...common, keystores: { pkcs12: { create: true, passwordSecretRef } } }),
  );
  await untilReady(world, namespace, 'second', { status: 'False', reason: 'SecretConflict' });
  await sleep(QUIET_MS);
  assert.is((await writesTo(world, 'secrets', namespace, 'common-tls')).length, 1);

  await patchSecret(world, namespace, 'common-tls', { data: { 'truststore.jks': null } });
  await eventually(
    'the trust store is back',
    async () => 'truststore.jks' in ((await readSecret(world, namespace, 'common-tls'))?.object.data ?? {}),
  );
  await sleep(QUIET_MS);
  assert.is((await writesTo(world, 'secrets', namespace, 'common-tls')).length, 3, 'that of the test, and one repair');
  assert.equal(
    ['first', 'second'].map((name) => signatures(controller, namespace, name)),
    [1, 0],
  );
});

test.run();

import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { pairData, putCaSecret, secretAuthority } from '../support/ca-secret.ts';
import type { ControllerProcess } from '../support/controller-process.ts';
import { deleteSecret } from '../support/edits.ts';
import { eventually } from '../support/eventually.ts';
import { issuedAt, writtenAt } from '../support/moments.ts';
import { clientCertificate, conditionOf, create, readSecret, untilReady } from '../support/objects.ts';
import { makeCa } from '../support/openssl.ts';
import { eventsOf } from '../support/recorded.ts';
import { oneScene } from '../support/scene.ts';
import { type StoredCertificate, watchCertificates } from '../support/secret-witness.ts';
import type { Witness } from '../support/witness.ts';
import type { World } from '../support/world.ts';
import { bugs, lines } from './support/fleet.ts';
import { metricsOf } from './support/metrics.ts';
import { startEarly } from './support/start-early.ts';

const CA_LIFE_MS = 25_000;

const scene = oneScene({ authority: false });
test.after(scene.stop);

/** A certificate that expires with its CA; reports what happens after `breakMore`, and with another CA. */
async function outlive(
  world: World,
  controller: ControllerProcess,
  namespace: string,
  told: Witness<StoredCertificate>,
  breakMore: (namespace: string) => Promise<void>,
) {
  await secretAuthority(world, namespace, await makeCa('Short CA', { notAfter: new Date(Date.now() + CA_LIFE_MS) }));
  await create(world, clientCertificate(namespace, 'alice', { duration: '1h' }));
  const issued = await untilReady(world, namespace, 'alice');
  await breakMore(namespace);

  const notAfter = new Date(String(issued.notAfter));
  const labels = { namespace, name: 'alice' };
  await untilReady(world, namespace, 'alice', { status: 'False', reason: 'Expired' });
  // The witness may see it a little later than a read.
  const said = await eventually('the witness has seen it expire', () =>
    told.versions('alice').find(({ object }) => conditionOf(object.status ?? {}, 'Ready')?.reason === 'Expired'),
  );
  // Both times are whole seconds.
  const lateMs = writtenAt(said.object).getTime() - notAfter.getTime();
  await eventually('the event', async () =>
    (await eventsOf(world, namespace, 'alice')).some(({ reason }) => reason === 'Expired'),
  );
  const metricWhileExpired = (await metricsOf(controller)).value('certwheel_certificate_ready', labels);
  const message = conditionOf(said.object.status ?? {}, 'Ready')?.message;

  await putCaSecret(world, namespace, 'ca-pair', pairData(await makeCa('Next CA')));
  const began = Date.now();
  const healed = await untilReady(world, namespace, 'alice');
  const secret = await readSecret(world, namespace, 'alice-tls');
  const healedMs = issuedAt(secret?.object ?? {}).getTime() - began;
  return {
    issued,
    lateMs,
    message,
    metricWhileExpired,
    metricWhenHealed: (await metricsOf(controller)).value('certwheel_certificate_ready', labels),
    healed,
    healedMs,
    secret,
    signed: lines(controller.logs, 'signing').filter((line) => line.namespace === namespace).length,
  };
}

const STORIES = [
  { what: 'its CA has ended', breakMore: async () => {} },
  {
    what: 'its CA has ended, and the CA Secret and the generation were deleted',
    breakMore: async (namespace: string) => {
      const { world } = await scene.get();
      await deleteSecret(world, namespace, 'ca-pair');
      await deleteSecret(world, namespace, 'ca-ca-v1');
    },
  },
];

for (const { what, breakMore } of STORIES) {
  const story = startEarly(async () => {
    const { world, controller } = await scene.get();
    const namespace = await world.namespace();
    const told = await watchCertificates(world, namespace);
    return outlive(world, controller, namespace, told, breakMore);
  });

  test(`a certificate that expires because ${what} is reported within 5 s, and heals with another CA`, async () => {
    const { issued, lateMs, message, metricWhileExpired, metricWhenHealed, healed, healedMs, secret, signed } =
      await story();
    console.log(
      `told ${lateMs} ms after notAfter: "${message}"; healed ${healedMs} ms after the new CA; ${signed} signed`,
    );
    assert.ok(lateMs >= 0 && lateMs < 5_000, `${lateMs} ms`);
    assert.is(metricWhileExpired, 0);
    assert.is(metricWhenHealed, 1);
    assert.ok(healedMs < 40_000, `${healedMs} ms`);
    assert.is.not(healed.serialNumber, issued.serialNumber);
    assert.is(secret?.leaf.issuer, 'CN=Next CA');
    assert.is(signed, 2);
  });
}

test('the controller reports neither as a bug', async () => {
  assert.equal(bugs((await scene.get()).controller.logs), []);
});

test.run();

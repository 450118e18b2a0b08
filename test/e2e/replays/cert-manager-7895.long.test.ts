/**
 * https://github.com/cert-manager/cert-manager/issues/7895 (also knative-extensions/net-certmanager 553): a certificate that
 * couldn't be renewed any more, as its issuer was being deleted, goes on being said to be ready after it has expired.
 */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { CERTIFICATE_AUTHORITIES, CLIENT_CERTIFICATES } from '../../../src/api/names.ts';
import { metricsOf } from '../process/support/metrics.ts';
import { deleteSecret, patchAuthority, patchCertificate, untilRevision } from '../support/edits.ts';
import {
  authorityStatusOf,
  clientCertificate,
  conditionOf,
  create,
  createAuthority,
  readSecret,
  selfManaged,
  statusOf,
  untilReady,
} from '../support/objects.ts';
import { eventsOf, signatures } from '../support/recorded.ts';
import { oneScene } from '../support/scene.ts';
import { eventually } from '../support/world.ts';

const HELD = { metadata: { finalizers: ['example.com/hold'] } };
const FREE = { metadata: { finalizers: null } };
/** The shortest duration. */
const BRIEF = { duration: '1m' };

const scene = oneScene({}, async ({ world, namespace }) => {
  // One certificate an hour, and the bystander has it.
  const slow = { rateLimit: { requests: 1, per: 'Hour', burst: 2 } };
  await createAuthority(world, selfManaged(namespace, 'slow', slow));
  await create(world, clientCertificate(namespace, 'member', BRIEF));
  await create(world, clientCertificate(namespace, 'leaving', BRIEF));
  await create(world, clientCertificate(namespace, 'waiting', { ...BRIEF, authorityRef: { name: 'slow' } }));
  for (const name of ['member', 'leaving', 'waiting']) await untilReady(world, namespace, name);
  await create(world, clientCertificate(namespace, 'bystander', { authorityRef: { name: 'slow' } }));
  await untilReady(world, namespace, 'bystander');
  await patchAuthority(world, namespace, 'ca', HELD);
  await world.client.delete(CERTIFICATE_AUTHORITIES, namespace, 'ca');
  await patchCertificate(world, namespace, 'leaving', HELD);
  await world.client.delete(CLIENT_CERTIFICATES, namespace, 'leaving');
});
test.after(scene.stop);

/** Waits until status, metrics and an event report the expiry; returns the message. */
async function untilExpired(name: string): Promise<string> {
  const { world, controller, namespace } = await scene.get();
  const condition = await eventually(`${name} is said to have expired`, async () => {
    const found = conditionOf(await statusOf(world, namespace, name), 'Ready');
    return found?.reason === 'Expired' && found;
  });
  const end = (await readSecret(world, namespace, `${name}-tls`))?.leaf.validToDate.getTime() ?? 0;
  const lateMs = Date.parse(condition.lastTransitionTime) - end;
  assert.ok(lateMs >= 0 && lateMs < 5_000, `${lateMs} ms after its end`);
  assert.is((await metricsOf(controller)).value('certwheel_certificate_ready', { namespace, name }), 0);
  await eventually('an event says so', async () =>
    (await eventsOf(world, namespace, name)).some(({ reason }) => reason === 'Expired'),
  );
  return condition.message;
}

test('an authority that a finalizer holds goes on issuing, and its condition names the finalizer', async () => {
  const { world, namespace } = await scene.get();
  await untilRevision(world, namespace, 'member-tls', 3);
  const ready = conditionOf(await authorityStatusOf(world, namespace, 'ca'), 'Ready');
  assert.equal([ready?.status, ready?.reason], ['True', 'BeingDeleted']);
  assert.match(ready?.message ?? '', /example\.com\/hold/);
});

test('a certificate that expires while it waits for its turn is reported as expired', async () => {
  assert.match(await untilExpired('waiting'), /expired at/);
  const { world, namespace } = await scene.get();
  const issuing = conditionOf(await statusOf(world, namespace, 'waiting'), 'Issuing');
  assert.match(issuing?.message ?? '', /waits for its turn/);
});

test('a ClientCertificate that a finalizer holds is not renewed, and its status names the finalizer and the expiry', async () => {
  const { world, controller, namespace } = await scene.get();
  assert.match(await untilExpired('leaving'), /example\.com\/hold/);
  await deleteSecret(world, namespace, 'leaving-tls');
  await eventually('the loss of its Secret is told', async () => {
    const found = conditionOf(await statusOf(world, namespace, 'leaving'), 'Ready');
    return found?.reason === 'BeingDeleted' && found.status === 'False';
  });
  assert.is(signatures(controller, namespace, 'leaving'), 1);
});

test('after a restart each of them has its metrics', async () => {
  const { world, controller, namespace } = await scene.get();
  assert.is(await controller.stop(), 0);
  const next = await world.controller();
  await eventually('all four are shown', async () => {
    const scrape = await metricsOf(next);
    const shown = ['member', 'leaving', 'waiting', 'bystander'].map((name) =>
      scrape.value('certwheel_certificate_ready', { namespace, name }),
    );
    // The bucket of the rate limit is full again after a restart, so the one that waited has a new certificate.
    return JSON.stringify(shown) === '[1,0,1,1]';
  });
  await patchAuthority(world, namespace, 'ca', FREE);
  await patchCertificate(world, namespace, 'leaving', FREE);
  await eventually('what was held is gone', async () => {
    const [authority, certificate] = await Promise.all([
      world.client.get(CERTIFICATE_AUTHORITIES, namespace, 'ca'),
      world.client.get(CLIENT_CERTIFICATES, namespace, 'leaving'),
    ]);
    return authority === undefined && certificate === undefined;
  });
  await untilReady(world, namespace, 'member', { type: 'Issuing', reason: 'AuthorityNotFound' });
  // Scrapes within a second get the same text.
  await eventually('its series is gone', async () => {
    const scrape = await metricsOf(next);
    return scrape.value('certwheel_certificate_ready', { namespace, name: 'leaving' }) === undefined;
  });
});

test.run();

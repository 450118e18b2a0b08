import { setTimeout as sleep } from 'node:timers/promises';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { CERTIFICATE_AUTHORITIES, CLIENT_CERTIFICATES, EVENTS, SECRETS } from '../../../src/api/names.ts';
import { REVOKE_ANNOTATION } from '../../../src/api/revocation.ts';
import { LONGEST_HOLD_MS } from '../../../src/certificate/revocation/finalizer.ts';
import { onStop } from '../../teardown.ts';
import { createAuthority as createBackend, untilAuthority } from '../backends/place.ts';
import { makeStepCa } from '../backends/servers/step-ca.ts';
import { revokedBy, serve } from '../backends/step-ca-subject.ts';
import { createAll, numbered, untilAllReady } from '../process/support/fleet.ts';
import { metricsOf } from '../process/support/metrics.ts';
import { startEarly } from '../process/support/start-early.ts';
import type { ControllerProcess } from '../support/controller-process.ts';
import {
  deleteSecret,
  patchCertificate,
  patchSecret,
  renewAt,
  restoreSecret,
  untilRevision,
} from '../support/edits.ts';
import {
  authorityStatusOf,
  clientCertificate,
  create,
  createAuthority,
  readSecret,
  selfManaged,
  statusOf,
  untilReady,
} from '../support/objects.ts';
import { eventually, oneWorld, type World } from '../support/world.ts';
import { listedIn, untilListed } from './listed.ts';

const shared = oneWorld();
test.after(shared.stop);

const OWED = 4;
/** Longer than a resource that is deleted is held. */
const AWAY_MS = LONGEST_HOLD_MS + 5_000;

/** A namespace with the flags of a controller that serves it alone. */
async function placeOf() {
  const world = await shared.get();
  const namespace = await world.namespace();
  const args = ['--allow-loopback-authorities', '--namespaces', namespace, '--controller-namespace', namespace];
  return { world, namespace, start: () => world.controller(args) };
}

function ask(world: World, namespace: string, name: string, serial: string) {
  return patchCertificate(world, namespace, name, { metadata: { annotations: { [REVOKE_ANNOTATION]: serial } } });
}

/** An authority of Certwheel's own that revokes what is deleted, and one certificate of it. */
async function leaver(name: string) {
  const { world, namespace, start } = await placeOf();
  const controller = await start();
  await createAuthority(world, selfManaged(namespace, 'ca', { revocation: { deleted: 'Revoke' } }));
  await create(world, clientCertificate(namespace, name));
  const { serialNumber: serial = '' } = await untilReady(world, namespace, name);
  const uid = (await world.client.get(CERTIFICATE_AUTHORITIES, namespace, 'ca'))?.metadata?.uid ?? '';
  return { world, namespace, controller, start, serial, uid };
}

/** Begins at once, since the resource has to wait for longer than it would be held. */
const deletedLongAgo = startEarly(async () => {
  const { world, namespace, controller, start, serial, uid } = await leaver('leaver');
  await controller.stop();
  await world.client.delete(CLIENT_CERTIFICATES, namespace, 'leaver');
  await sleep(AWAY_MS);
  const { metadata } = (await world.client.get(CLIENT_CERTIFICATES, namespace, 'leaver')) ?? {};
  const next = await start();
  await eventually('it is gone', async () => {
    return (await world.client.get(CLIENT_CERTIFICATES, namespace, 'leaver')) === undefined;
  });
  const reason = await untilListed(world, namespace, uid, serial);
  const { items } = await world.client.list(EVENTS, { namespace });
  await next.stop();
  return {
    metadata,
    reason,
    events: items.map((each) => String((each as { reason?: string }).reason)),
    logs: next.logs,
  };
});

const owedOf = async (controller: ControllerProcess) =>
  (await metricsOf(controller)).value('certwheel_revocations_owed');

test('what is owed outlives a restart while the CA is away, is shown, and is done when the CA is back', async () => {
  const { world, namespace, start } = await placeOf();
  const served = await serve(await makeStepCa());
  onStop(() => served.stop());
  const where = { world, namespace };
  await createBackend(where, 'stepCA', await served.prepare(where));
  const first = await start();
  await untilAuthority(where);
  const names = numbered(OWED);
  await createAll(world, namespace, names);
  await untilAllReady(world, namespace, OWED);
  const serials = await Promise.all(
    names.map(async (name) => (await statusOf(world, namespace, name)).serialNumber ?? ''),
  );
  // What is not in use waits for no successor, which can't be had while the CA is away.
  for (const name of names) await renewAt(world, namespace, name);
  for (const name of names) await untilRevision(world, namespace, `${name}-tls`, 2);
  await served.ca.halt();
  for (const [index, name] of names.entries()) await ask(world, namespace, name, serials[index] ?? '');
  const owed = async () => (await authorityStatusOf(world, namespace, 'ca')).revocation?.owed === OWED;
  await eventually('the authority owes them', owed);
  assert.is(await owedOf(first), OWED);
  await first.kill();

  const second = await start();
  await eventually('the next process shows them', async () => (await owedOf(second)) === OWED);
  await eventually('the authority is not ready', async () => {
    const { conditions = [] } = await authorityStatusOf(world, namespace, 'ca');
    return conditions.some(({ type, status }) => type === 'Ready' && status === 'False');
  });
  assert.ok(await owed());
  for (const [index, name] of names.entries()) {
    const { revocations, conditions = [] } = await statusOf(world, namespace, name);
    assert.is(revocations?.[0]?.state, 'Owed');
    assert.is(revocations?.[0]?.serialNumber, serials[index]);
    assert.is(conditions.find(({ type }) => type === 'Ready')?.status, 'True');
  }
  const since = (await metricsOf(second)).value('certwheel_revocation_owed_since_timestamp_seconds') ?? 0;
  assert.ok(since > Date.now() / 1_000 - 600 && since < Date.now() / 1_000, `${since}`);

  await served.ca.start();
  await eventually('none is owed', async () => (await owedOf(second)) === 0, 90_000);
  assert.equal((await revokedBy(served.ca)).sort(), [...serials].sort());
  for (const name of names)
    await eventually('status says so', async () => {
      return (await statusOf(world, namespace, name)).revocations?.[0]?.state === 'Revoked';
    });
  const { revocation } = await authorityStatusOf(world, namespace, 'ca');
  assert.equal([revocation?.owed, revocation?.revoked, revocation?.problems], [0, OWED, undefined]);
  await second.stop();
});

test('a certificate that was revoked and comes back by a restore is replaced, also when no controller saw it', async () => {
  const { world, namespace, controller, start, serial, uid } = await leaver('restored');
  const backup = await readSecret(world, namespace, 'restored-tls');
  if (backup === undefined) throw new Error('there is no Secret');
  await ask(world, namespace, 'restored', `${serial}=keyCompromise`);
  await untilListed(world, namespace, uid, serial);
  await untilRevision(world, namespace, 'restored-tls', 2);
  const isReplaced = async () => {
    const secret = await readSecret(world, namespace, 'restored-tls').catch(() => undefined);
    const now = secret?.leaf.serialNumber.toLowerCase();
    const status = await statusOf(world, namespace, 'restored');
    return now !== undefined && now !== serial && status.serialNumber === now && now;
  };
  await eventually('the first one is replaced', isReplaced);
  // kubectl apply of the backup, while the controller runs.
  const { data, metadata } = backup.object;
  await patchSecret(world, namespace, 'restored-tls', { data, metadata: { annotations: metadata?.annotations } });
  const second = await eventually('what is restored is replaced', isReplaced);
  await controller.stop();
  await deleteSecret(world, namespace, 'restored-tls');
  await restoreSecret(world, namespace, backup.object);
  const next = await start();
  const third = await eventually('and so it is after a restart', isReplaced);
  assert.is.not(third, serial);
  assert.is.not(third, second);
  const listed = await listedIn(world, namespace, uid);
  assert.ok(listed.has(serial));
  assert.not.ok(listed.has(third));
  await untilReady(world, namespace, 'restored');
  assert.is(
    (await world.client.get(SECRETS, namespace, 'restored-tls'))?.metadata?.annotations?.['certwheel.io/revision'] ===
      '1',
    false,
  );
  await next.stop();
});

test('what was deleted long before the controller started is revoked, and nothing says that it is not', async () => {
  const { metadata, reason, events, logs } = await deletedLongAgo();
  assert.equal(metadata?.finalizers, ['certwheel.io/revocation']);
  assert.is(reason, 'Cessation Of Operation');
  assert.not.ok(events.includes('NotRevoked'));
  assert.not.ok(logs.some(({ message }) => message.includes('are not revoked')));
});

test.run();

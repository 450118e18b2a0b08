import { setTimeout as sleep } from 'node:timers/promises';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { RENEW_AT_ANNOTATION } from '../../../src/api/names.ts';
import type { ControllerProcess } from '../support/controller-process.ts';
import { createSecret, deleteSecret, patchCertificate, renewAt, untilRevision } from '../support/edits.ts';
import { eventually, QUIET_MS } from '../support/eventually.ts';
import { issuedAt, untilNextSecond } from '../support/moments.ts';
import { clientCertificate, conditionOf, create, readSecret, statusOf, untilReady } from '../support/objects.ts';
import { makeCa, makeLeaf, tlsData } from '../support/openssl.ts';
import { eventsOf, signatures } from '../support/recorded.ts';
import { oneScene } from '../support/scene.ts';
import type { World } from '../support/world.ts';

const scene = oneScene({}, async ({ world, namespace }) => {
  const names = ['once', 'zone', 'future', 'past', 'malformed', 'paused', 'lost', 'changed'];
  await Promise.all(names.map((name) => create(world, clientCertificate(namespace, name))));
  // Due within 15 seconds; the suspension prevents its renewal.
  await create(world, clientCertificate(namespace, 'due', { duration: '1m', renewBefore: '45s' }));
  const { renewalTime = '' } = await untilReady(world, namespace, 'due');
  await patchCertificate(world, namespace, 'due', { spec: { suspend: true } });
  const dueAtMs = Date.parse(renewalTime) + 1_000;
  await Promise.all(names.map((name) => untilReady(world, namespace, name)));
  return { dueAtMs };
});
test.after(scene.stop);

function suspend(world: World, namespace: string, name: string, isSuspended: boolean) {
  return patchCertificate(world, namespace, name, { spec: { suspend: isSuspended } });
}

function lifted(controller: ControllerProcess, namespace: string, name: string, wanted: number): void {
  assert.is(signatures(controller, namespace, name), wanted, `${name} was signed another number of times`);
}

test('renew-at renews at once, and only once', async () => {
  const { world, controller, namespace } = await scene.get();
  const before = await readSecret(world, namespace, 'once-tls');
  await renewAt(world, namespace, 'once');
  const after = await untilRevision(world, namespace, 'once-tls', 2, 5_000);
  assert.is.not(after.leaf.serialNumber, before?.leaf.serialNumber);
  // The annotation stays, and further reconciles change nothing.
  await patchCertificate(world, namespace, 'once', { metadata: { labels: { look: 'again' } } });
  await sleep(QUIET_MS);
  lifted(controller, namespace, 'once', 2);
  const events = await eventually('an event tells of it', async () => {
    const found = await eventsOf(world, namespace, 'once');
    return found.length > 0 && found;
  });
  const told = events.map(({ reason, note }) => `${reason} ${note.split(' ')[0]}`);
  assert.is(told[0], 'Renewed RenewAt:');
});

test('a moment in another time zone and one in whole seconds, as `date` prints it, are honoured', async () => {
  const { world, controller, namespace } = await scene.get();
  // A moment in whole seconds lies before the issue of a certificate in the same second.
  await untilNextSecond();
  const local = new Date(Date.now() + 2 * 3_600_000).toISOString().replace(/\.\d+Z$/, '+02:00');
  await renewAt(world, namespace, 'zone', local);
  await untilRevision(world, namespace, 'zone-tls', 2, 5_000);
  await untilNextSecond();
  await renewAt(world, namespace, 'zone', `${new Date().toISOString().slice(0, 19)}Z`);
  await untilRevision(world, namespace, 'zone-tls', 3, 5_000);
  lifted(controller, namespace, 'zone', 3);
});

test('a moment in the future renews at that moment', async () => {
  const { world, controller, namespace } = await scene.get();
  const moment = new Date(Date.now() + 3_000);
  await renewAt(world, namespace, 'future', moment.toISOString());
  const { object } = await untilRevision(world, namespace, 'future-tls', 2);
  const lateMs = issuedAt(object).getTime() - moment.getTime();
  assert.ok(lateMs >= 0 && lateMs < 1_000, `${lateMs} ms after the moment that was asked for`);
  await sleep(QUIET_MS);
  lifted(controller, namespace, 'future', 2);
});

test('a moment before the last issue and an invalid moment renew nothing', async () => {
  const { world, controller, namespace } = await scene.get();
  await renewAt(world, namespace, 'past', new Date(Date.now() - 3_600_000).toISOString());
  const nonsense = ['now', '', 'tomorrow', '2026', '1700000000', '2026-13-45T99:00:00Z', '2026-05-01 12:00:00', '❤'];
  for (const text of nonsense) await renewAt(world, namespace, 'malformed', text);
  await sleep(QUIET_MS);
  for (const name of ['past', 'malformed']) {
    lifted(controller, namespace, name, 1);
    assert.is(conditionOf(await statusOf(world, namespace, name), 'Ready')?.status, 'True');
  }
  const told = await untilReady(world, namespace, 'malformed', { reason: 'RenewAtInvalid' });
  assert.match(conditionOf(told, 'Ready')?.message ?? '', `"${nonsense.at(-1)}" is ignored, since it is no moment`);
  // A valid moment in its place is honoured.
  await renewAt(world, namespace, 'malformed');
  await untilRevision(world, namespace, 'malformed-tls', 2, 5_000);
});

test('a resource that is created suspended gets no certificate until it is resumed', async () => {
  const { world, controller, namespace } = await scene.get();
  await create(world, clientCertificate(namespace, 'unborn', { suspend: true }));
  const waiting = await untilReady(world, namespace, 'unborn', { status: 'False', reason: 'Suspended' });
  assert.is(waiting.revision, undefined);
  await sleep(QUIET_MS);
  lifted(controller, namespace, 'unborn', 0);
  assert.is(await readSecret(world, namespace, 'unborn-tls'), undefined);
  await suspend(world, namespace, 'unborn', false);
  await untilReady(world, namespace, 'unborn', {}, 5_000);
  lifted(controller, namespace, 'unborn', 1);
});

test('renew-at, a lost Secret and a changed spec wait for the end of a suspension, and then take one certificate each', async () => {
  const { world, controller, namespace } = await scene.get();
  const names = ['paused', 'lost', 'changed'];
  for (const name of names) {
    await suspend(world, namespace, name, true);
    const { conditions, renewalTime } = await untilReady(world, namespace, name, { reason: 'Suspended' });
    assert.match(conditions?.[0]?.message ?? '', /nothing is issued while spec.suspend is true/);
    assert.is(renewalTime, undefined);
  }
  await renewAt(world, namespace, 'paused');
  await deleteSecret(world, namespace, 'lost-tls');
  await patchCertificate(world, namespace, 'changed', { spec: { dnsNames: ['new.example.com'] } });
  // Ready stays truthful during the suspension.
  await untilReady(world, namespace, 'lost', { status: 'False' }, 5_000);
  await untilReady(world, namespace, 'changed', { status: 'False', reason: 'SpecChanged' }, 5_000);
  await sleep(QUIET_MS);
  for (const name of names) lifted(controller, namespace, name, 1);

  for (const name of names) await suspend(world, namespace, name, false);
  for (const name of names) {
    await untilReady(world, namespace, name, {}, 5_000);
    assert.is((await statusOf(world, namespace, name)).revision, 2);
  }
  await sleep(QUIET_MS);
  for (const name of names) lifted(controller, namespace, name, 2);
});

test('a renewal that falls due during a suspension is made when the suspension ends', async () => {
  const { world, controller, namespace, dueAtMs } = await scene.get();
  // A renewal at that moment is what the suspension prevents.
  await sleep(Math.max(0, dueAtMs - Date.now()));
  lifted(controller, namespace, 'due', 1);
  await suspend(world, namespace, 'due', false);
  await untilRevision(world, namespace, 'due-tls', 2, 5_000);
  await untilReady(world, namespace, 'due');
});

test('a suspended resource beside an expired certificate is not reconciled again and again', async () => {
  const { world, controller, namespace } = await scene.get();
  const data = await expiredData();
  await createSecret(world, namespace, 'stale-tls', { type: 'kubernetes.io/tls', data });
  await create(world, clientCertificate(namespace, 'stale', { suspend: true }));
  await untilReady(world, namespace, 'stale', { status: 'False' });
  const before = await looks(controller);
  await sleep(QUIET_MS);
  const more = (await looks(controller)) - before;
  assert.ok(more < 10, `${more} looks in ${QUIET_MS} ms`);
});

test('renew-at is never copied to a Secret', async () => {
  const { world, namespace } = await scene.get();
  assert.is((await readSecret(world, namespace, 'once-tls'))?.annotations[RENEW_AT_ANNOTATION], undefined);
});

/** How many reconciles of ClientCertificates the controller has run. */
async function looks(controller: ControllerProcess): Promise<number> {
  const found = (await controller.metrics()).matchAll(
    /certwheel_workqueue_runs_total\{controller="certificates".*\} (\d+)/g,
  );
  return [...found].reduce((sum, [, count]) => sum + Number(count), 0);
}

async function expiredData(): Promise<Record<string, string>> {
  const ca = await makeCa('Old');
  const hoursAgo = (hours: number) => new Date(Date.now() - hours * 3_600_000);
  return tlsData(await makeLeaf(ca, 'stale', { notBefore: hoursAgo(2), notAfter: hoursAgo(1) }), ca.certificate);
}

test.run();

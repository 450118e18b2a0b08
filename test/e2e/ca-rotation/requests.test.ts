/** What people ask of a CA rotation by annotations and by spec.caRotation, while clients shake hands all the time. */
import { setTimeout as sleep } from 'node:timers/promises';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { ADVANCE_CA_ANNOTATION, ROLLBACK_CA_ANNOTATION, ROTATE_CA_ANNOTATION } from '../../../src/api/names.ts';
import { createSecretAuthority, pairData, putCaSecret } from '../support/ca-secret.ts';
import { eventually, QUIET_MS } from '../support/eventually.ts';
import { AT_ONCE, conditionOf, createAuthority, selfManaged } from '../support/objects.ts';
import { makeCa } from '../support/openssl.ts';
import { oneScene } from '../support/scene.ts';
import type { World } from '../support/world.ts';
import { CLIENTS, statesOf, underTraffic } from './under-traffic.ts';

const scene = oneScene({ authority: false, flags: ['--trust-propagation', '1s'] });
test.after(scene.stop);

/** An authority `ca` in a namespace of its own, with a server and clients under traffic. */
async function begin(create: (world: World, namespace: string) => Promise<unknown>) {
  const { world } = await scene.get();
  const namespace = await world.namespace();
  await create(world, namespace);
  return underTraffic(world, namespace);
}

const ownCa = (world: World, namespace: string) => createAuthority(world, selfManaged(namespace));

test('a CA rotation that is asked for is made once, and is acknowledged', async () => {
  const place = await begin(ownCa);
  await place.rotate();
  await place.until('Retired', 'Active');
  const { message } = await place.answered(ROTATE_CA_ANNOTATION, 'Done');
  assert.match(message ?? '', /^generation 2 was made at .*; a later time asks for another one$/);
  await sleep(QUIET_MS);
  assert.equal(statesOf(await place.status()), ['Retired', 'Active'], 'no other CA is made');
  await place.annotate(ROTATE_CA_ANNOTATION, '2020-01-01T00:00:00Z');
  await place.answered(ROTATE_CA_ANNOTATION, 'Done');
  await place.annotate(ROTATE_CA_ANNOTATION, 'now');
  await place.answered(ROTATE_CA_ANNOTATION, 'Refused');
  assert.equal(statesOf(await place.status()), ['Retired', 'Active']);
  await place.end();
});

test('a CA rotation in mode Manual stops where it must be asked, and its plan says what it waits for', async () => {
  const place = await begin(ownCa);
  await place.configure({ mode: 'Manual', ...AT_ONCE });
  await place.rotate();
  const waiting = await place.until('Active', 'Trusted');
  const plan = await eventually('the plan waits', async () => {
    const { caRotation } = await place.status();
    return caRotation?.plan?.[0]?.reason === 'WaitingForApproval' && caRotation.plan;
  });
  assert.equal(
    plan.map(({ version, to }) => `${version} ${to}`),
    ['2 Active', '1 Retiring', '1 Retired'],
  );
  assert.match(plan[0]?.waitsFor ?? '', 'certwheel.io/advance-ca=2/Active');
  assert.match(conditionOf(waiting, 'Rotating')?.message ?? '', 'generation 2 is trusted');
  assert.equal(
    waiting.generations?.map(({ version, certificates }) => [version, certificates]),
    [
      [2, 0],
      [1, CLIENTS.length + 1],
    ],
  );
  await place.annotate(ADVANCE_CA_ANNOTATION, '2/Active');
  await place.until('Retiring', 'Active');
  await place.answered(ADVANCE_CA_ANNOTATION, 'Done');
  await eventually('its certificates are re-issued', async () =>
    (await place.status()).caRotation?.plan?.some(({ reason }) => reason === 'WaitingForApproval'),
  );
  await place.annotate(ADVANCE_CA_ANNOTATION, '1/Retired');
  const done = await place.until('Retired', 'Active');
  assert.is(conditionOf(done, 'Rotating'), undefined);
  await place.end();
});

test('what is asked of a generation before it is there is answered, and a refused roll-back does not befall it', async () => {
  const place = await begin(ownCa);
  await place.configure({ mode: 'Manual', ...AT_ONCE });
  await place.annotate(ROLLBACK_CA_ANNOTATION, '2');
  assert.match((await place.answered(ROLLBACK_CA_ANNOTATION, 'Refused')).message ?? '', 'there is no generation 2');
  await place.annotate(ADVANCE_CA_ANNOTATION, '9/Retired');
  assert.match((await place.answered(ADVANCE_CA_ANNOTATION, 'Waiting')).message ?? '', 'the newest is 1');
  await place.rotate();
  await place.until('Active', 'Trusted');
  await place.answered(ROLLBACK_CA_ANNOTATION, 'Refused');
  // Asked for once more, it is made.
  await place.annotate(ROLLBACK_CA_ANNOTATION, null);
  await eventually('the answer is gone', async () => {
    const { caRotation } = await place.status();
    return caRotation?.requests?.every(({ annotation }) => annotation !== ROLLBACK_CA_ANNOTATION);
  });
  await place.annotate(ROLLBACK_CA_ANNOTATION, '2');
  await place.until('Active', 'RolledBack');
  await place.annotate(ADVANCE_CA_ANNOTATION, '2/Active');
  assert.match((await place.answered(ADVANCE_CA_ANNOTATION, 'Refused')).message ?? '', 'rolled back');
  await place.annotate(ADVANCE_CA_ANNOTATION, '2/Retired');
  await place.until('Active', 'Retired');
  await place.end();
});

test('a paused CA rotation goes on where it stopped', async () => {
  const place = await begin(ownCa);
  await place.configure({ paused: true });
  await place.rotate();
  await place.until('Active', 'Pending');
  await sleep(QUIET_MS);
  assert.equal(statesOf(await place.status()), ['Active', 'Pending'], 'the new CA is in no ca.crt');
  assert.is((await place.status()).caRotation?.plan?.[0]?.reason, 'Paused');
  await place.configure({ paused: null });
  await place.until('Retired', 'Active');
  await place.end();
});

test('a CA that is rolled back signs no more, and its source begins no new rotation with it', async () => {
  const [first, second] = await Promise.all([makeCa('First'), makeCa('Second')]);
  const place = await begin(async (world, namespace) => {
    await putCaSecret(world, namespace, 'ca-pair', pairData(first));
    await createSecretAuthority(world, namespace, 'ca', 'ca-pair');
  });
  const { world, namespace } = place;
  await place.rotate();
  assert.match((await place.answered(ROTATE_CA_ANNOTATION, 'Refused')).message ?? '', 'secret authority');
  await putCaSecret(world, namespace, 'ca-pair', pairData(second));
  await place.until('Retiring', 'Active');
  await place.annotate(ROLLBACK_CA_ANNOTATION, '2');
  await place.until('Active', 'RolledBack');
  await place.answered(ROLLBACK_CA_ANNOTATION, 'Done');
  const after = await place.until('Active', 'Retired');
  assert.is(after.activeGeneration, 1);
  await sleep(QUIET_MS);
  assert.is(statesOf(await place.status()).length, 2, 'the CA that the source offers is held off');
  // Another one is welcome.
  await putCaSecret(world, namespace, 'ca-pair', pairData(await makeCa('Third')));
  await place.until('Retired', 'Retired', 'Active');
  await place.end();
});

test('a CA that was made on request and is rolled back is not made again, until another one is asked for', async () => {
  const place = await begin(ownCa);
  await place.rotate();
  await place.until('Retiring', 'Active');
  await place.annotate(ROLLBACK_CA_ANNOTATION, '2');
  await place.until('Active', 'Retired');
  await sleep(QUIET_MS);
  const after = await place.status();
  assert.equal(statesOf(after), ['Active', 'Retired']);
  assert.is(conditionOf(after, 'Rotating'), undefined);
  await place.rotate();
  await place.until('Retired', 'Retired', 'Active');
  await place.end();
});

test.run();

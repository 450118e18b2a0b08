/** A quota that is used up, and a policy of admission, in the way of the Leases by which replicas share the work. */
import { setTimeout as sleep } from 'node:timers/promises';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { LEASES } from '../../../src/api/names.ts';
import { bugs, lines, QUICK } from '../process/support/fleet.ts';
import { startEarly } from '../process/support/start-early.ts';
import { refuseObjects } from '../support/admission.ts';
import { startController } from '../support/controller-process.ts';
import { eventually, QUIET_MS } from '../support/eventually.ts';
import { loggedAt } from '../support/moments.ts';
import { usedUp } from '../support/quota.ts';
import { oneWorld } from '../support/world.ts';
import { Fleet } from './fleet.ts';

const COUNT = 16;
const NAMESPACES = 4;
const FULL = { 'count/leases.coordination.k8s.io': '1' };
/** A replica that can't renew its Lease acts no longer than so. */
const RENEW_DEADLINE_MS = 10_000;
/** Longer than a replica may act, and than the others wait for it. */
const REFUSED_MS = 20_000;
/** None of the certificates is due before. */
const EARLIEST_MS = 7_000;
const MESSAGE = 'leases of members are frozen by the platform team';

const shared = oneWorld();
test.after(shared.stop);

/** No Lease can be made at the start; later none for a second replica, which then takes the place of a dead one. */
const quota = startEarly(async () => {
  const world = await shared.get();
  const fleet = await Fleet.of(world, NAMESPACES, COUNT);
  const own = await fleet.kubeconfig();
  const start = () => startController(own, fleet.flags);
  const free = await usedUp(world, fleet.home, 'full', FULL);
  const first = await start();
  await fleet.fill(['a', 'b'], {});
  const said = await eventually('the first one says why it waits', () =>
    first.logs.find(({ error }) => String(error).includes('exceeded quota')),
  );
  await sleep(QUIET_MS);
  const early = lines(first.logs, 'signing').length;
  await free();
  await fleet.untilHeldBy([first]);
  await fleet.untilReady();

  await usedUp(world, fleet.home, 'full-again', FULL);
  const second = await start();
  const refused = await eventually('the second one says why it waits', () =>
    second.logs.find(({ error }) => String(error).includes('exceeded quota')),
  );
  await fleet.fill(['c'], {});
  await fleet.untilReady();
  const signedBySecond = lines(second.logs, 'signing').length;
  await first.kill();
  await fleet.untilHeldBy([second]);
  await fleet.fill(['d'], {});
  await fleet.untilReady();
  const lives = [first.logs, second.logs];
  const faults = await fleet.faults(lives);
  return { said, early, refused, signedBySecond, faults, found: bugs(lives.flat()) };
});

/** All renewals are refused for a while, in which certificates come due. */
const policy = startEarly(async () => {
  const world = await shared.get();
  const fleet = await Fleet.of(world, NAMESPACES, COUNT);
  const own = await fleet.kubeconfig();
  const start = () => startController(own, fleet.flags);
  const all = [await start(), await start()];
  await fleet.untilHeldBy(all);
  await fleet.fill(['a', 'b'], QUICK);
  await fleet.untilReady();
  const probe = { metadata: { name: 'certwheel-member-probe' }, spec: { holderIdentity: 'probe' } };
  const isOfMember = "object.metadata.name.startsWith('certwheel-member-')";
  const admission = await refuseObjects(world, fleet.home, { resource: LEASES, probe }, MESSAGE, [isOfMember]);
  const refusedAtMs = Date.now();
  await sleep(REFUSED_MS);
  const liftedAtMs = Date.now();
  await admission.lift();
  await fleet.untilHeldBy(all);
  const signed = () => all.flatMap(({ logs }) => lines(logs, 'signing')).length;
  const before = signed();
  await eventually('they go on with what is due', () => signed() >= before + NAMESPACES);
  await fleet.untilReady();
  const lives = all.map(({ logs }) => logs);
  const signedAtMs = lives.flatMap((logs) => lines(logs, 'signing').map((line) => loggedAt(line).getTime()));
  const refusals = lives.map((logs) => logs.filter(({ error }) => String(error).includes(MESSAGE)));
  const faults = await fleet.faults(lives, EARLIEST_MS);
  return { refusedAtMs, liftedAtMs, signedAtMs, refusals, faults, found: bugs(lives.flat()) };
});

test('a replica that can make no Lease signs nothing, says that the quota is used up, and begins once there is room', async () => {
  const { said, early } = await quota();
  assert.match(String(said.remedy), /the quota or policy that refuses it/);
  assert.is(early, 0);
});

test('a replica for which there is no further Lease takes the place of a dead one', async () => {
  const { refused, signedBySecond } = await quota();
  assert.is(refused.message, 'no Lease could be taken');
  assert.match(String(refused.remedy), /the quota or policy that refuses it/);
  assert.is(signedBySecond, 0, 'while the first one had all ranges');
});

test('replicas that can not renew their Leases sign nothing after the deadline, and go on once they can', async () => {
  const { refusedAtMs, liftedAtMs, signedAtMs } = await policy();
  const fromMs = refusedAtMs + RENEW_DEADLINE_MS;
  assert.equal(
    signedAtMs.filter((at) => at > fromMs && at < liftedAtMs).map((at) => at - refusedAtMs),
    [],
  );
  assert.ok(signedAtMs.some((at) => at > liftedAtMs));
});

test('the refusal is in the log of each replica, a few times a minute', async () => {
  const { refusals } = await policy();
  for (const each of refusals) {
    assert.ok(each.length > 0);
    assert.ok(each.length <= REFUSED_MS / 500, `${each.length} lines`);
  }
});

for (const [what, story] of Object.entries({ quota, policy }))
  test(`no certificate is issued twice for one reason: ${what}`, async () => {
    const { faults, found } = await story();
    assert.equal(faults.slice(0, 5), []);
    assert.equal(found, []);
  });

test.run();

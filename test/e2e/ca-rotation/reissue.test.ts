/** After a new CA signs, its certificates are re-issued by expiry, at a set rate, and no further while too many fail. */
import { setTimeout as sleep } from 'node:timers/promises';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { ClientCertificateStatus } from '../../../src/api/generated/types.ts';
import { ADVANCE_CA_ANNOTATION, CLIENT_CERTIFICATES, ROTATE_CA_ANNOTATION } from '../../../src/api/names.ts';
import { metricsOf } from '../process/support/metrics.ts';
import { refuseSecrets } from '../support/admission.ts';
import { patchAuthority, renewAt } from '../support/edits.ts';
import { eventually, PATIENCE_MS, QUIET_MS } from '../support/eventually.ts';
import { loggedAt, untilNextSecond } from '../support/moments.ts';
import { AT_ONCE, authorityStatusOf, clientCertificate, conditionOf, create } from '../support/objects.ts';
import { eventsOf } from '../support/recorded.ts';
import { oneScene } from '../support/scene.ts';

const REISSUE = { requests: 10, per: '1s', maxFailures: 3 };
const COUNT = 60;
/** Each expires an hour after the one before, and their names are in another order. */
const BY_EXPIRY = Array.from({ length: COUNT }, (_each, rank) => `client-${(rank * 37) % COUNT}`);
/** A dozen in the middle of that order can't be written in the second rotation. */
const REFUSED = BY_EXPIRY.slice(12, 24);
const LONG_MS = 3 * PATIENCE_MS;

const spec = { caRotation: { ...AT_ONCE, mode: 'Manual', reissue: REISSUE } };
const scene = oneScene({ authority: spec, flags: ['--trust-propagation', '1s'] }, async ({ world, namespace }) => {
  const status = () => authorityStatusOf(world, namespace, 'ca');
  const certificates = async () => {
    const { items } = await world.client.list(CLIENT_CERTIFICATES, { namespace });
    return items.map(({ metadata, status: told }) => ({
      name: metadata?.name ?? '',
      ...((told ?? {}) as ClientCertificateStatus),
    }));
  };
  const annotate = (key: string, value: string) =>
    patchAuthority(world, namespace, 'ca', { metadata: { annotations: { [key]: value } } });
  return {
    status,
    /** The names of those that hold a certificate of that generation. */
    heldOf: async (generation: number) =>
      (await certificates())
        .filter(({ authorityGeneration }) => authorityGeneration === generation)
        .map(({ name }) => name),
    /** Begins a rotation, which stops before the new CA signs. */
    begin: async (version: number) => {
      await untilNextSecond();
      await annotate(ROTATE_CA_ANNOTATION, new Date().toISOString());
      await eventually(
        `generation ${version} may sign`,
        async () => (await status()).caRotation?.plan?.[0]?.reason === 'WaitingForApproval',
        LONG_MS,
      );
    },
    sign: (version: number) => annotate(ADVANCE_CA_ANNOTATION, `${version}/Active`),
    retire: async (version: number) => {
      await annotate(ADVANCE_CA_ANNOTATION, `${version}/Retired`);
      await eventually(`generation ${version} is gone`, async () =>
        (await status()).generations?.some((each) => each.version === version && each.state === 'Retired'),
      );
    },
  };
});
test.after(scene.stop);

test('certificates of the former CA are re-issued by expiry, and no faster than the rate', async () => {
  const { world, namespace, controller, status, heldOf, begin, sign, retire } = await scene.get();
  for (const name of BY_EXPIRY.toSorted()) {
    const duration = `${24 + BY_EXPIRY.indexOf(name)}h`;
    await create(world, clientCertificate(namespace, name, { duration }));
  }
  await eventually('all are issued', async () => (await heldOf(1)).length === COUNT, LONG_MS);
  await begin(2);
  const { length } = controller.logs;
  await sign(2);
  await eventually('all are re-issued', async () => (await heldOf(2)).length === COUNT, LONG_MS);
  const signed = controller.logs.slice(length).filter(({ message }) => message === 'signing');
  assert.is(signed.length, COUNT, 'each is signed once');
  const found = await status();
  const signsSince = Date.parse(found.generations?.find(({ version }) => version === 2)?.since ?? '');
  for (const [index, line] of signed.entries()) {
    // Ten are worked on at the same time.
    const rank = BY_EXPIRY.indexOf(String(line.name));
    assert.ok(Math.abs(rank - index) < REISSUE.requests, `${line.name} is number ${index}, and not ${rank}`);
    const earliestMs = signsSince + ((index + 1 - REISSUE.requests) / REISSUE.requests) * 1_000;
    assert.ok(loggedAt(line).getTime() >= earliestMs, `number ${index} is signed ${line.timestamp}`);
  }
  assert.not(found.caRotation?.plan?.some(({ reason }) => reason === 'ReissueStopped'));
  await retire(1);
});

test('a policy that refuses a dozen Secrets stops the re-issue, which names them and goes on once the policy is gone', async () => {
  const { world, namespace, controller, status, heldOf, begin, sign, retire } = await scene.get();
  await begin(3);
  const names = ['probe', ...REFUSED.map((name) => `${name}-tls`)];
  const policy = await refuseSecrets(world, namespace, 'not today', [
    `object.metadata.name in [${names.map((name) => `'${name}'`).join()}]`,
  ]);
  await sign(3);
  const stopped = await eventually(
    'the re-issue is stopped',
    async () => {
      const found = await status();
      return found.caRotation?.plan?.some(({ reason }) => reason === 'ReissueStopped') && found;
    },
    LONG_MS,
  );
  const step = stopped.caRotation?.plan?.find(({ reason }) => reason === 'ReissueStopped');
  assert.equal([step?.version, step?.to], [2, 'Retired']);
  assert.match(step?.waitsFor ?? '', 'spec.caRotation.reissue.maxFailures is 3: mend what refuses them');
  assert.match(step?.waitsFor ?? '', new RegExp(`failing: ${namespace}/${REFUSED[0]} \\(SecretRefused\\), `));
  assert.is(conditionOf(stopped, 'Rotating')?.reason, 'ReissueStopped');
  // What was on its way is over by then.
  await sleep(QUIET_MS);
  const held = await heldOf(3);
  assert.ok(held.length >= 12 && held.length < COUNT - REFUSED.length, `${held.length} are re-issued`);
  const missed = BY_EXPIRY.filter((name) => !REFUSED.includes(name)).slice(0, held.length);
  assert.equal(held.sort(), missed.sort(), 'by expiry, also around those that fail');
  await sleep(3 * QUIET_MS);
  assert.is((await heldOf(3)).length, held.length, 'the rest stays');
  const { value } = await metricsOf(controller);
  assert.is(value('certwheel_ca_rotation_waiting', { to: 'Retired', reason: 'ReissueStopped' }), 1);
  const last = BY_EXPIRY.at(-1) ?? '';
  await renewAt(world, namespace, last);
  await eventually('a renewal goes on', async () => (await heldOf(3)).includes(last));

  await policy.lift();
  await eventually('all are re-issued', async () => (await heldOf(3)).length === COUNT, LONG_MS);
  const told = await eventually('it is said that it goes on', async () => {
    const reasons = (await eventsOf(world, namespace, 'ca')).map(({ reason }) => reason);
    return reasons.includes('CAReissueResumed') && reasons;
  });
  for (const reason of ['CAReissueStopped', 'CAReissueResumed'])
    assert.is(told.filter((each) => each === reason).length, 1, reason);
  await retire(2);
  assert.is(conditionOf(await status(), 'Rotating'), undefined);
});

test.run();

import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { AuthorityStatus } from '../../../src/api/generated/types.ts';
import { CERTIFICATE_AUTHORITIES, resourcePath, SECRETS } from '../../../src/api/names.ts';
import { conditionOf } from '../support/objects.ts';
import { oneScene } from '../support/scene.ts';
import { witness } from '../support/witness.ts';
import { eventually } from '../support/world.ts';
import { CLIENTS, eventsIn, fingerprintOf, generationSecrets, startSwap } from './swap.ts';
import { provesThreeSteps } from './three-steps.ts';

const PROPAGATION_MS = 3_000;

const scene = oneScene({ authority: false, flags: ['--trust-propagation', `${PROPAGATION_MS}ms`] });
test.after(scene.stop);

test('a CA that is replaced by hand under traffic fails no handshake, and is rotated in three steps', async () => {
  const { world } = await scene.get();
  const swap = await startSwap(world);
  const { cas, history, traffic, namespace } = swap;
  const names = ['server', ...CLIENTS].map((each) => `${each}-tls`);
  assert.equal([...new Set(history.states.map(({ name }) => name))].sort(), [...names].sort());
  await eventually('there is traffic', () => traffic.handshakes() > 50);

  const statuses = await witness(world, resourcePath(CERTIFICATE_AUTHORITIES, namespace));
  const secrets = await witness(world, resourcePath(SECRETS, namespace));
  const startedMs = performance.now();
  await swap.put(cas.v2);
  const status = await eventually('the swap is over', async () => {
    const now = await swap.status();
    return now.generations?.some(({ state }) => state === 'Retired') && now;
  });
  const tookMs = performance.now() - startedMs;
  // As much traffic again, so that a Secret that was loaded late could still fail.
  const atEnd = traffic.handshakes();
  await eventually('there is traffic after the swap', () => traffic.handshakes() > atEnd + 100);
  await swap.stop();

  assert.equal(traffic.failures(), []);
  if (process.env.DEBUG) console.error(`${traffic.handshakes()} handshakes; the swap took ${Math.round(tookMs)} ms`);
  provesThreeSteps(history, names, PROPAGATION_MS);

  const told = statuses.all().flatMap(({ object }) => saidBy((object.status ?? {}) as AuthorityStatus));
  const kept = secrets.all().filter(({ object }) => object.metadata?.name?.startsWith('ca-ca-v'));
  // A generation has no key at first, and is immutable once it has one.
  const withKey = kept.filter(({ object }) => object.data?.['tls.key'] !== '');
  assert.ok(withKey.length >= 2);
  for (const { object } of withKey) assert.is((object as { immutable?: boolean }).immutable, true);
  const [second, first] = status.generations ?? [];
  assert.is(first?.state, 'Retired');
  assert.is(first?.fingerprintSHA256, fingerprintOf(cas.v1));
  assert.ok(first?.certificate?.includes('BEGIN CERTIFICATE'));
  assert.is(second?.state, 'Active');
  assert.is(second?.fingerprintSHA256, fingerprintOf(cas.v2));
  for (const state of ['2 Prepared', '1 Active', '1 Retiring']) assert.ok(told.includes(state), told.join('\n'));
  assert.ok(told.some((each) => each.startsWith('SpreadingTrust: generation 2 goes into every ca.crt')));
  assert.ok(told.some((each) => each.startsWith('Reissuing: certificates of generation 1 are being re-issued')));
  assert.ok(
    told.some((each) => each.includes(`waiting for`) && each.includes(`${namespace}/`)),
    told.join('\n'),
  );
  const left = await generationSecrets(world, namespace);
  assert.equal(
    left.map(({ metadata }) => metadata?.name),
    ['ca-ca-v2'],
  );
  assert.is(await world.client.get(SECRETS, namespace, 'ca-ca-v1'), undefined);
  const events = await eventually('the last event is told', async () => {
    const all = (await eventsIn(world, namespace)).filter(({ regarding }) => regarding.kind === 'CertificateAuthority');
    return all.some(({ reason }) => reason === 'CAGenerationRetired') && all;
  });
  assert.equal([...new Set(events.map(({ reason }) => reason))].sort(), [
    'CAGenerationActive',
    'CAGenerationCreated',
    'CAGenerationPrepared',
    'CAGenerationRetired',
    'CAGenerationRetiring',
    'CAGenerationTrusted',
  ]);
});

/** The rotation and each generation, as a status reports them. */
function saidBy(status: AuthorityStatus): string[] {
  const rotating = conditionOf(status, 'Rotating');
  const states = (status.generations ?? []).map(({ version, state }) => `${version} ${state}`);
  return rotating === undefined ? states : [...states, `${rotating.reason}: ${rotating.message}`];
}

test.run();

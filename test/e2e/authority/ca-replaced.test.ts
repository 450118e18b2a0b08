import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { SECRETS } from '../../../src/api/names.ts';
import { conditionOf } from '../support/objects.ts';
import { eventually, oneWorld } from '../support/world.ts';
import { CLIENTS, eventsIn, fingerprintOf, generationSecrets, startSwap } from './swap.ts';
import { provesThreeSteps } from './three-steps.ts';

const PROPAGATION_MS = 3_000;

const shared = oneWorld();
test.after(shared.stop);

test('a CA that is replaced by hand under traffic fails no handshake, and goes out in three steps', async () => {
  const world = await shared.get();
  await world.controller(['--trust-propagation', `${PROPAGATION_MS}ms`]);
  const swap = await startSwap(world);
  const { cas, history, traffic, namespace } = swap;
  const names = ['server', ...CLIENTS].map((each) => `${each}-tls`);
  assert.equal([...new Set(history.states.map(({ name }) => name))].sort(), [...names].sort());
  await eventually('there is traffic', () => traffic.handshakes() > 50);

  const startedMs = performance.now();
  await swap.put(cas.v2);
  const told = new Set<string>();
  let immutable = true;
  const status = await eventually(
    'the swap is over',
    async () => {
      const now = await swap.status();
      const rotating = conditionOf(now, 'Rotating');
      if (rotating !== undefined) told.add(`${rotating.reason}: ${rotating.message}`);
      for (const each of now.generations ?? []) told.add(`${each.version} ${each.state}`);
      for (const each of await generationSecrets(world, namespace))
        immutable &&= (each as { immutable?: boolean }).immutable === true;
      return now.generations?.some(({ state }) => state === 'Retired') && now;
    },
    45_000,
  );
  const tookMs = performance.now() - startedMs;
  // As long again, so that a Secret that was loaded late could still fail.
  const atEnd = traffic.handshakes();
  await eventually('there is traffic after the swap', () => traffic.handshakes() > atEnd + 100);
  await swap.stop();

  assert.equal(traffic.failures(), []);
  if (process.env.DEBUG) console.error(`${traffic.handshakes()} handshakes; the swap took ${Math.round(tookMs)} ms`);
  provesThreeSteps(history, names, PROPAGATION_MS);

  const [second, first] = status.generations ?? [];
  assert.is(first?.state, 'Retired');
  assert.is(first?.fingerprintSHA256, fingerprintOf(cas.v1));
  assert.ok(first?.certificate?.includes('BEGIN CERTIFICATE'));
  assert.is(second?.state, 'Active');
  assert.is(second?.fingerprintSHA256, fingerprintOf(cas.v2));
  assert.ok(told.has('2 Prepared') && told.has('1 Active') && told.has('1 Retiring'), [...told].join('\n'));
  assert.ok([...told].some((each) => each.startsWith('SpreadingTrust: generation 2 goes into every ca.crt')));
  assert.ok([...told].some((each) => each.startsWith('Reissuing: certificates of generation 1 are being re-issued')));
  assert.ok(
    [...told].some((each) => each.includes(`waiting for`) && each.includes(`${namespace}/`)),
    [...told].join('\n'),
  );
  assert.ok(immutable);
  const kept = await generationSecrets(world, namespace);
  assert.equal(
    kept.map(({ metadata }) => metadata?.name),
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
    'CAGenerationRetired',
    'CAGenerationRetiring',
  ]);
});

test.run();

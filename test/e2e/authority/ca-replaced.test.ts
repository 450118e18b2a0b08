import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { SECRETS } from '../../../src/api/names.ts';
import { conditionOf } from '../support/objects.ts';
import { eventually, oneWorld } from '../support/world.ts';
import { CLIENTS, eventsIn, fingerprintOf, generationSecrets, startSwap, stopSwaps } from './swap.ts';

const PROPAGATION_MS = 3_000;
/** What the watch of a busy machine may be late by. */
const LATE_MS = 500;

const shared = oneWorld();
test.after(stopSwaps);
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
  console.log(`${traffic.handshakes()} handshakes, ${traffic.failures().length} failed; swap ${Math.round(tookMs)} ms`);
  console.log([...told].join('\n'));

  const { states } = history;
  const firstNewLeaf = states.findIndex(({ issuer }) => issuer === 'v2');
  assert.ok(firstNewLeaf > 0);
  const atFirst = [...history.before(firstNewLeaf).values()];
  assert.equal(
    atFirst.map(({ name, trusted }) => [name, ...trusted]).sort(),
    names.map((name) => [name, 'v1', 'v2']).sort(),
    'before the new CA signs anything, all trust it',
  );
  const spread = Math.max(
    ...names.map((name) => states.find((each) => each.name === name && each.trusted.includes('v2'))?.atMs ?? Infinity),
  );
  const firstNewLeafMs = states[firstNewLeaf]?.atMs ?? 0;
  assert.ok(
    firstNewLeafMs - spread >= PROPAGATION_MS - LATE_MS,
    `signed ${firstNewLeafMs - spread} ms after the last ca.crt`,
  );

  const firstWithoutOld = states.findIndex(({ trusted }) => !trusted.includes('v1'));
  assert.ok(firstWithoutOld > firstNewLeaf);
  const atDrop = [...history.before(firstWithoutOld).values()];
  assert.equal(
    atDrop.map(({ name, issuer }) => [name, issuer]).sort(),
    names.map((name) => [name, 'v2']).sort(),
    'before the old CA leaves a ca.crt, nobody has a certificate of it',
  );
  const lastOldLeafMs = Math.max(
    ...names.map((name) => states.find((each) => each.name === name && each.issuer === 'v2')?.atMs ?? Infinity),
  );
  const dropMs = (states[firstWithoutOld]?.atMs ?? 0) - lastOldLeafMs;
  assert.ok(dropMs >= PROPAGATION_MS - LATE_MS, `dropped ${dropMs} ms after the last certificate of the old CA`);
  const last = [...history.before(states.length).values()];
  await eventually('nobody trusts the old CA', () => last.every(({ trusted }) => trusted.join() === 'v2'));
  for (const { secret, issuer, trusted } of states)
    assert.ok(
      trusted.includes(issuer),
      `at version ${secret.object.metadata?.resourceVersion} a certificate of ${issuer} beside ca.crt of ${trusted}`,
    );

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

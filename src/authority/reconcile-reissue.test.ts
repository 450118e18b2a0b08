/** What an authority does about certificates of its former CA: whom it wakes, how often it looks, and what a look costs. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { AuthorityWorld, another, stored } from '../../test/unit/authority-world.ts';
import { SECOND } from '../../test/unit/builders.ts';
import { manyConsumers } from '../../test/unit/reissue-fleet.ts';
import { caKeyId } from '../pki/ca.ts';
import type { Member } from '../rotation/plan-types.ts';

const FORMER = stored.certificate.fingerprintSHA256;

/** Another CA signs by now, and so many certificates of the former one are valid for different times. */
async function rotated(count: number): Promise<AuthorityWorld> {
  const world = new AuthorityWorld();
  await world.settle();
  world.wanted = another;
  const fleet = manyConsumers(count, FORMER);
  const members = fleet.map(({ resource, secret }): Member => {
    return {
      key: `team/${resource.name}`,
      namespace: 'team',
      issuerFingerprint: FORMER,
      issuerKeyId: caKeyId(stored.certificate),
      anchorFingerprints: [FORMER],
      trustBundleHash: '',
      notAfter: secret?.certificate?.notAfter,
    };
  });
  world.deps = { ...world.deps, consumers: () => fleet };
  for (let look = 0; world.runtime?.view?.signing?.version !== 2; look++) {
    assert.ok(look < 60, 'the new CA signs');
    const trustBundleHash = world.runtime?.view?.trust.hash ?? '';
    world.members = members.map((each) => ({ ...each, trustBundleHash }));
    await world.run();
    await world.clock.advance(10 * SECOND);
  }
  return world;
}

const released = (lines: readonly string[]) => lines.filter((line) => line.startsWith('released '));

test('20 certificates are woken once a new CA signs, and 20 in each further second; all others sleep on', async () => {
  const world = await rotated(50);
  assert.equal(
    released(world.journal.lines),
    Array.from({ length: 20 }, (_each, index) => `released team/client-${String(index).padStart(5, '0')}`),
  );
  // The former generation leaves, and the clock was 10 s ahead of the look.
  let rest = 20;
  for (const wanted of [20, 10, 0]) {
    const { length } = world.journal.lines;
    let outcome = await world.run();
    while (!(outcome instanceof Error) && outcome.do === 'again') outcome = await world.run();
    const lines = world.journal.since(length);
    assert.is(released(lines).length, wanted, lines.join(', '));
    if (wanted < 20) assert.not.ok(lines.includes('woken'), 'no certificate but these is woken');
    rest += wanted;
    const recheckAt = outcome instanceof Error || outcome.do !== 'rest' ? undefined : outcome.recheckAt;
    const inMs = (recheckAt?.getTime() ?? 0) - world.clock.now().getTime();
    if (rest < 50) assert.is(inMs, SECOND, 'it looks again when the next tokens are there');
    else assert.ok(inMs > SECOND, `in ${inMs} ms`);
    await world.clock.advance(SECOND);
  }
  assert.is(world.runtime?.view?.released.size, 50);
});

test('a look at 10000 certificates that are to be re-issued costs less than 100 ms of CPU', async () => {
  const world = await rotated(10_000);
  for (let look = 0; look < 5; look++) await world.run();
  const costs: number[] = [];
  for (let look = 0; look < 9; look++) {
    await world.clock.advance(SECOND);
    const { length } = world.journal.lines;
    const before = process.threadCpuUsage();
    await world.run();
    const { user, system } = process.threadCpuUsage(before);
    costs.push((user + system) / 1_000);
    assert.is(released(world.journal.since(length)).length, 20);
  }
  const [median = 0] = costs.sort((one, other) => one - other).slice(4);
  if (process.env.DEBUG) console.error(costs.map(Math.round).join());
  assert.ok(median < 100, `${median} ms`);
});

test.run();

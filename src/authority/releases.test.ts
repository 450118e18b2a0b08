/** The re-issue of random fleets: its order, its rate, what stops it, and that it ends. */
import { randomInt } from 'node:crypto';
import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { after, DAY, HOUR, MINUTE, NOW, SECOND } from '../../test/unit/builders.ts';
import { FakeClock } from '../../test/unit/fake-clock.ts';
import { ReissueFleet, ROTATED, rolledBack } from '../../test/unit/reissue-fleet.ts';
import type { AuthorityView } from '../certificate/authority-view.ts';
import { Releases } from './releases.ts';

const seed = Number(process.env.SEED ?? randomInt(2 ** 31));
console.log(`# SEED=${seed}`);

const fleets = fc.array(
  fc.record({
    endS: fc.integer({ min: 100_000, max: 100_030 }),
    isRefused: fc.oneof({ weight: 3, arbitrary: fc.constant(false) }, { weight: 1, arbitrary: fc.constant(true) }),
  }),
  { maxLength: 50 },
);
const termsOf = fc.record({
  requests: fc.integer({ min: 1, max: 30 }),
  perMs: fc.constantFrom(1_000, 1_500, 60_000),
  maxFailures: fc.integer({ min: 1, max: 8 }),
});
const happenings = fc.array(
  fc.oneof(
    fc.record({ do: fc.constant('pass' as const), ms: fc.integer({ min: 0, max: 5_000 }) }),
    fc.record({ do: fc.constant('jump' as const), ms: fc.integer({ min: -HOUR, max: HOUR }) }),
    fc.record({ do: fc.constantFrom('heal' as const, 'restart' as const, 'trouble' as const), ms: fc.constant(0) }),
  ),
  { maxLength: 40 },
);

/** See withoutFuture: where the clock was set back, the generation signs since it was created. */
function viewAt(now: Date): AuthorityView {
  const isAhead = now < after(-MINUTE);
  return isAhead && ROTATED.signing ? { ...ROTATED, signing: { ...ROTATED.signing, since: after(-3 * DAY) } } : ROTATED;
}

/** A change of a certificate has its authority reconciled so soon. */
const RECOUNT_MS = 500;

/** No more than the capacity, and what came meanwhile, in any span. */
function provesRate(releasedAt: readonly number[], { requests, perMs }: { requests: number; perMs: number }): void {
  const capacity = Math.max(1, (requests * SECOND) / perMs);
  for (const [index, from] of releasedAt.entries())
    for (let later = index; later < releasedAt.length; later++) {
      const spanMs = (releasedAt[later] ?? 0) - from;
      assert.ok(
        later - index + 1 <= capacity + (spanMs * requests) / perMs + 1e-6,
        `${later - index + 1} in ${spanMs} ms`,
      );
    }
}

test('any fleet is re-issued by expiry, at the rate, stopped while too many fail, and in the end each of it once', async () => {
  await fc.assert(
    fc.asyncProperty(fleets, termsOf, happenings, async (given, terms, all) => {
      const clock = new FakeClock(NOW);
      const fleet = new ReissueFleet(given);
      let releases = new Releases(terms);
      let releasedAt: number[] = [];
      let isInTrouble = false;
      const look = () => {
        const trouble = isInTrouble ? ({ code: 'CAExpired', message: '' } as const) : undefined;
        const { since = NOW } = viewAt(clock.now()).signing ?? {};
        const failing = fleet.failingSince(after(-MINUTE, since));
        const isStopped = failing.length >= terms.maxFailures;
        const before = new Set([...releases.released, ...failing]);
        const found = releases.look({ ...viewAt(clock.now()), trouble }, fleet.consumers(), clock);
        if (isStopped || isInTrouble) assert.equal(found.fresh, [], 'none is released');
        const left = fleet
          .former(clock.now())
          .map(({ name }) => `team/${name}`)
          .filter((key) => !before.has(key));
        assert.equal(found.fresh, left.slice(0, found.fresh.length), 'the earliest expiry comes first');
        for (const key of found.fresh) assert.ok(found.released.has(key));
        const isWaiting = left.length > found.fresh.length && !isInTrouble && !isStopped;
        assert.is(
          isWaiting,
          found.recheckAt !== undefined && found.stop === undefined,
          'it looks again while some are left',
        );
        releasedAt.push(...found.fresh.map(() => clock.monotonicMs()));
        fleet.attempt(isInTrouble ? [] : found.released, clock.now());
        return found;
      };
      for (const each of all) {
        if (each.do === 'pass') await clock.advance(each.ms);
        if (each.do === 'jump') {
          clock.jump(each.ms);
          // The queue wakes all, and what has failed is tried again at once.
          fleet.attempt(isInTrouble ? [] : releases.released, clock.now());
        }
        if (each.do === 'trouble') isInTrouble = !isInTrouble;
        if (each.do === 'heal') for (const member of fleet.members) member.isRefused = false;
        if (each.do === 'restart') {
          provesRate(releasedAt, terms);
          releasedAt = [];
          releases = new Releases(terms);
        }
        look();
      }
      // From now on nothing fails, and the authority is reconciled when it wants that, or a certificate has changed.
      for (const member of fleet.members) member.isRefused = false;
      isInTrouble = false;
      const patienceMs = 4 * SECOND + (2 * (given.length + 1) * terms.perMs) / terms.requests + given.length;
      const endMs = clock.monotonicMs() + Math.max(patienceMs, 2 * SECOND * given.length);
      while (fleet.former(clock.now()).length > 0) {
        assert.ok(clock.monotonicMs() < endMs, `${fleet.former(clock.now()).length} are left`);
        const before = fleet.former(clock.now()).length;
        const { recheckAt } = look();
        const hasChanged = fleet.former(clock.now()).length < before;
        const waitMs = (recheckAt?.getTime() ?? 0) - clock.now().getTime();
        await clock.advance(hasChanged ? Math.min(RECOUNT_MS, Math.max(1, waitMs)) : Math.max(1, waitMs));
      }
      provesRate(releasedAt, terms);
      assert.equal([...new Set(fleet.members.map(({ issues }) => issues))], given.length === 0 ? [] : [1]);
      assert.is(look().recheckAt, undefined, 'nothing is left to look for');
    }),
    { seed, numRuns: 300 },
  );
});

const TWO = [
  { endS: 2_000, isRefused: false },
  { endS: 1_000, isRefused: false },
];

test('a roll-back re-issues by the same rule, and what was released before it gets a new turn', async () => {
  const clock = new FakeClock(NOW);
  const fleet = new ReissueFleet(TWO);
  const releases = new Releases({ requests: 1, perMs: SECOND, maxFailures: 1 });
  const turns: string[] = [];
  const look = (view = ROTATED) => {
    const { fresh, released } = releases.look(view, fleet.consumers(), clock);
    turns.push(...fresh);
    fleet.attempt(released, clock.now());
  };
  for (let second = 0; second < 3; second++, await clock.advance(SECOND)) look();
  fleet.signing = 'ca 1';
  for (let second = 0; second < 3; second++, await clock.advance(SECOND)) look(rolledBack(clock.now()));
  assert.equal(turns, ['team/client-1', 'team/client-0', 'team/client-1', 'team/client-0']);
  assert.equal(
    fleet.members.map(({ issuer, issues }) => [issuer, issues]),
    [
      ['ca 1', 2],
      ['ca 1', 2],
    ],
  );
});

test('what is released and not re-issued yet stays released, and takes no second turn', async () => {
  const clock = new FakeClock(NOW);
  const fleet = new ReissueFleet(TWO);
  const releases = new Releases({ requests: 1, perMs: SECOND, maxFailures: 1 });
  const look = () => releases.look(ROTATED, fleet.consumers(), clock);
  assert.equal(look().fresh, ['team/client-1']);
  await clock.advance(SECOND);
  const { fresh, released } = look();
  assert.equal([fresh, [...released].sort()], [['team/client-0'], ['team/client-0', 'team/client-1']]);
  fleet.attempt(['team/client-1'], clock.now());
  assert.equal([...look().released], ['team/client-0'], 'and no longer than until then');
});

test('what failed goes on by its own backoff, also after a restart and while the re-issue is stopped', () => {
  const clock = new FakeClock(NOW);
  const fleet = new ReissueFleet([{ endS: 1_000, isRefused: true }, ...TWO]);
  const terms = { requests: 1, perMs: SECOND, maxFailures: 1 };
  const first = new Releases(terms).look(ROTATED, fleet.consumers(), clock);
  assert.equal(first.fresh, ['team/client-0']);
  fleet.attempt(first.released, clock.now());
  const { released, fresh, stop, recheckAt } = new Releases(terms).look(ROTATED, fleet.consumers(), clock);
  assert.equal([[...released], fresh], [['team/client-0'], []]);
  assert.is(stop?.failing.length, 1);
  assert.equal(recheckAt, after(1_000 * SECOND), 'it ends when what fails has expired');
});

test('at a rate below one in a second they come one by one, each after its wait', async () => {
  const clock = new FakeClock(NOW);
  const fleet = new ReissueFleet(TWO);
  const releases = new Releases({ requests: 2, perMs: HOUR, maxFailures: 1 });
  const first = releases.look(ROTATED, fleet.consumers(), clock);
  assert.equal([first.fresh.length, first.recheckAt], [1, after(HOUR / 2)]);
  await clock.advance(HOUR / 2 - 1);
  assert.equal(releases.look(ROTATED, fleet.consumers(), clock).fresh, []);
});

test('those of many are looked for less often, and come at the same rate', async () => {
  const clock = new FakeClock(NOW);
  const fleet = new ReissueFleet(Array.from({ length: 30_000 }, () => ({ endS: 2_000, isRefused: false })));
  const releases = new Releases({ requests: 20, perMs: SECOND, maxFailures: 1 });
  releases.look(ROTATED, fleet.consumers(), clock);
  await clock.advance(3 * SECOND);
  for (let look = 0; look < 5; look++) {
    const { fresh, recheckAt } = releases.look(ROTATED, fleet.consumers(), clock);
    assert.is(fresh.length, 60);
    assert.equal(recheckAt, clock.in(3 * SECOND));
    await clock.advance(3 * SECOND);
  }
});

test.run();

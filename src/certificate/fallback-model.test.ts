/** Random outages of an authority and of its fallback: nothing expires while one of the two answers. */
import { randomInt } from 'node:crypto';
import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { aCertificate, MINUTE, SECOND } from '../../test/unit/builders.ts';
import { FallbackWorld } from '../../test/unit/fallback-world.ts';

const seed = Number(process.env.SEED ?? randomInt(2 ** 31));
console.log(`# SEED=${seed}`);
const RUNS = Number(process.env.RUNS ?? 60);
const LIFE_MS = 60 * MINUTE;
/** Renewed after two fifths of its life at the earliest: half of it, less the longest jitter. */
const SOONEST_MS = (2 / 5) * LIFE_MS;
/** A view of an authority that has changed wakes its certificates, and an act takes no time here. */
const SLACK_MS = 6 * SECOND;

/** After so many minutes one of the two goes away, or comes back; or the controller restarts. */
const event = fc.tuple(fc.nat({ max: 70 }), fc.constantFrom('own', 'reserve', 'restart'));

test('no certificate expires while one of the two answers, and none is issued without need', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(event, { minLength: 4, maxLength: 24 }),
      fc.nat({ max: 10_000 }),
      async (events, jitter) => {
        const raw = aCertificate({ duration: '1h' }).with({ uid: `uid-${jitter}` }).raw;
        const world = new FallbackWorld(raw);
        const beganMs = world.clock.now().getTime();
        await runUntil(world, MINUTE);
        for (const [minutes, what] of events) {
          await runUntil(world, minutes * MINUTE);
          if (what === 'restart') restart(world);
          else world.set(what, world.awaySince[what] === undefined);
        }
        await runUntil(world, 2 * MINUTE);
        const elapsedMs = world.clock.now().getTime() - beganMs;
        const most = 1 + Math.ceil(elapsedMs / SOONEST_MS);
        assert.ok(world.signedBy.length <= most, `${world.signedBy.length} issues, and ${most} are enough`);
      },
    ),
    { seed, numRuns: RUNS },
  );
});

/** What is known of troubles is found out anew. */
function restart(world: FallbackWorld): void {
  world.restart();
  for (const which of ['own', 'reserve'] as const)
    if (world.awaySince[which] !== undefined) world.awaySince[which] = world.clock.now();
}

/** Runs the reconcile whenever it asks for it, and holds each moment against what must be so. */
async function runUntil(world: FallbackWorld, ms: number): Promise<void> {
  const { clock } = world;
  const endMs = clock.now().getTime() + ms;
  for (;;) {
    const outcome = await world.run();
    if (outcome instanceof Error) throw outcome;
    expiresOnlyWhenBothAreAway(world);
    const at = outcome.do === 'retry' ? outcome.at : outcome.do === 'rest' ? outcome.recheckAt : clock.now();
    const nowMs = clock.now().getTime();
    const nextMs = Math.max(at?.getTime() ?? Number.POSITIVE_INFINITY, nowMs + 1);
    if (nextMs > endMs) {
      await clock.advance(endMs - nowMs);
      return expiresOnlyWhenBothAreAway(world);
    }
    await clock.advance(nextMs - nowMs);
  }
}

function expiresOnlyWhenBothAreAway(world: FallbackWorld): void {
  const { certificate } = world.store.view() ?? {};
  const now = world.clock.now();
  if (certificate === undefined || certificate.notAfter.getTime() > now.getTime() - SLACK_MS) return;
  // The one that came back a moment ago has had no run yet.
  assert.ok(world.isLost, `it expired at ${certificate.notAfter.toISOString()}, and it is ${now.toISOString()}`);
}

test.run();

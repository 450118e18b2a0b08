import { randomInt } from 'node:crypto';
import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { DAY, HOUR } from '../../test/unit/builders.ts';
import { RevocationWorld, wanted } from '../../test/unit/revocation-world.ts';
import { ApiError, AuthorityError, DeniedError, RetryableError, TerminalError } from '../errors.ts';

const seed = Number(process.env.SEED ?? randomInt(2 ** 31));
console.log(`# SEED=${seed}`);

const FAULTS = {
  conflict: () => new ApiError(409, 'Conflict', 'the object has been modified', { resource: 'secrets' }),
  broken: () => new ApiError(500, 'InternalError', 'no', { resource: 'secrets' }),
  forbidden: () => new ApiError(403, 'Forbidden', 'no', { resource: 'secrets' }),
  silent: () => new ApiError(0, 'NoAnswer', 'no answer', { resource: 'secrets' }),
  away: () => new AuthorityError('AuthorityUnreachable', 'it is away'),
  busy: () => new RetryableError('AuthorityBusy', 'too many', { retryAfterMs: 5_000 }),
  denied: () => new DeniedError('RequestDenied', 'no'),
  unknown: () => new TerminalError('RequestFailed', 'no such certificate'),
  odd: () => new Error('odd'),
} as const;

type Step =
  | { readonly do: 'want'; readonly serial: number; readonly isStolen: boolean }
  | { readonly do: 'refuse' | 'lose'; readonly what: string; readonly fault: keyof typeof FAULTS }
  | { readonly do: 'turn'; readonly of: number }
  | { readonly do: 'together' }
  | { readonly do: 'die'; readonly after: number }
  | { readonly do: 'restart' }
  | { readonly do: 'pass' | 'jump'; readonly ms: number };

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({ do: fc.constant('want' as const), serial: fc.nat({ max: 11 }), isStolen: fc.boolean() }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constantFrom('refuse' as const, 'lose' as const),
      what: fc.constantFrom('read', 'write', 'revoke', 'crl', 'leading'),
      fault: fc.constantFrom(...(Object.keys(FAULTS) as (keyof typeof FAULTS)[])),
    }),
  },
  { weight: 8, arbitrary: fc.record({ do: fc.constant('turn' as const), of: fc.nat({ max: 1 }) }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('together' as const) }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('die' as const), after: fc.integer({ min: 1, max: 8 }) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('restart' as const) }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('pass' as const), ms: fc.integer({ min: 1, max: 2 * HOUR }) }) },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constant('jump' as const), ms: fc.integer({ min: -3 * DAY, max: 3 * DAY }) }),
  },
);

async function take(world: RevocationWorld, step: Step): Promise<void> {
  const { journal, clock } = world;
  switch (step.do) {
    case 'want': {
      const serial = (0xa0 + step.serial).toString(16);
      const reason =
        step.isStolen || world.wishes.get(serial)?.reason === 'keyCompromise' ? 'keyCompromise' : 'superseded';
      return world.want(wanted(serial, reason));
    }
    case 'refuse':
      return journal.refuse(step.what, FAULTS[step.fault]());
    case 'lose':
      return journal.loseAnswer(step.what, FAULTS[step.fault]());
    case 'turn':
      return world.replicas[step.of % world.replicas.length]?.turn();
    case 'together':
      return void (await Promise.all(world.replicas.map((each) => each.turn())));
    case 'die':
      journal.diesAfter = journal.lines.length + step.after;
      await Promise.all(world.replicas.map((each) => each.turn()));
      return world.restart();
    case 'restart':
      return world.restart();
    case 'pass':
      return clock.advance(step.ms);
    case 'jump':
      return clock.jump(step.ms);
  }
}

for (const by of ['request', 'crl'] as const)
  for (const replicas of [1, 2])
    test(`by ${by}, with ${replicas} replicas: whatever fails meanwhile, exactly what is wanted is revoked, and then there is rest`, async () => {
      await fc.assert(
        fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
          const world = new RevocationWorld({ by, replicas });
          for (const each of steps) {
            await take(world, each);
            // Nothing is revoked that no register lists.
            for (const serial of world.revoked.keys()) assert.ok(serial in world.registered(), serial);
          }
          world.journal.heal();
          await world.settle();
          const all = [...world.wishes.keys()].sort();
          assert.equal([...world.revoked.keys()].sort(), all);
          assert.equal(world.registered(), Object.fromEntries(all.map((serial) => [serial, 'done'])));
          for (const { revocations, findings } of world.replicas) {
            const view = revocations.viewOf(world.resource);
            for (const [serial, { reason }] of world.wishes)
              assert.equal(view.stateOf(serial), { state: 'Revoked', reason });
            assert.equal([findings?.owed, findings?.revoked, findings?.problems], [0, all.length, []]);
          }
          // The audit log lacks none of them, and has none twice unless a process ended or lost a race in between.
          const said = all.flatMap((serial) => [`noted ${serial}`, `revoked ${serial}`]);
          assert.equal([...world.told.keys()].sort(), said.sort());
          const isOrderly = !steps.some((each) => ['die', 'restart'].includes(each.do));
          if (isOrderly && replicas === 1) assert.equal([...new Set(world.told.values())], all.length === 0 ? [] : [1]);
          const { writes, requests } = world;
          world.restart();
          await world.settle();
          assert.equal([world.writes, world.requests], [writes, requests], 'after a restart');
        }),
        { seed, numRuns: 300 },
      );
    });

test.run();

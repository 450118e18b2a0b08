import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { FakeClock, settle } from '../../test/unit/fake-clock.ts';
import { TurnstileModel } from '../../test/unit/turnstile-model.ts';
import { Controller } from './controller.ts';
import { type Limits, Turnstile } from './turnstile.ts';

const START = new Date('2026-06-01T12:00:00Z');
/** For so long a place may stay free although keys wait: a called key did not come, and a timer has to notice. */
const LONGEST_IDLE_MS = 1_050;

interface Asker {
  readonly key: string;
  readonly deadline: number | undefined;
  /** It is turned away once, and then never comes. */
  readonly vanishes: boolean;
}

interface Scene {
  readonly workers: number;
  /** Work that needs no authority, all in the queue from the beginning. */
  readonly local: { readonly count: number; readonly ms: number };
  readonly askers: readonly Asker[];
  readonly askMs: number;
  readonly limits: Limits;
  /** Whether a key that is called goes before the local work, or waits behind it. */
  readonly calledGoFirst: boolean;
}

const asker = fc.record({
  key: fc.nat(3).map((space) => `ns-${space}`),
  deadline: fc.option(fc.integer({ min: -60_000, max: 60_000 }), { nil: undefined }),
  vanishes: fc.integer({ min: 0, max: 9 }).map((n) => n === 0),
});
const scene: fc.Arbitrary<Scene> = fc.record({
  workers: fc.integer({ min: 1, max: 3 }),
  local: fc.record({ count: fc.nat(40), ms: fc.integer({ min: 1, max: 400 }) }),
  askers: fc
    .array(asker, { minLength: 1, maxLength: 25 })
    .map((all) => all.map((each, n) => ({ ...each, key: `${each.key}/${n}` }))),
  askMs: fc.integer({ min: 1, max: 300 }),
  limits: fc.record({
    capacity: fc.integer({ min: 1, max: 4 }),
    rate: fc.option(
      fc.record({
        requests: fc.integer({ min: 1, max: 20 }),
        perMs: fc.constant(1_000),
        burst: fc.integer({ min: 1, max: 5 }),
      }),
      { nil: undefined },
    ),
  }),
  calledGoFirst: fc.boolean(),
});

/** Plays a scene with the real queue, workers and turnstile, and answers when each key entered, in milliseconds. */
async function play({ workers, local, askers, askMs, limits, calledGoFirst }: Scene) {
  const clock = new FakeClock(START);
  const giveBack = clock.takeTimers();
  const byKey = new Map(askers.map((each) => [each.key, each]));
  const deadlineOf = (key: string) => {
    const deadline = byKey.get(key)?.deadline;
    return deadline === undefined ? undefined : START.getTime() + deadline;
  };
  const startedMs = clock.monotonicMs();
  const elapsed = () => clock.monotonicMs() - startedMs;
  const entered = new Map<string, number>();
  const model = new TurnstileModel();
  /** Collected, since the controller would take what is thrown for a failed run. */
  const violations: string[] = [];
  let inside = 0;
  let localDone = 0;
  /** Entries that the rate still allows, as the caller of the turnstile counts them. */
  const freePlaces = (rounding = 0) => {
    const { capacity, rate } = limits;
    const soFar = [...entered.values()];
    let tokens = rate?.burst ?? Number.POSITIVE_INFINITY;
    let atMs = 0;
    for (const entry of rate === undefined ? [] : [...soFar, elapsed()]) {
      tokens = Math.min(rate?.burst ?? 0, tokens + ((entry - atMs) * (rate?.requests ?? 0)) / 1_000) - 1;
      atMs = entry;
    }
    return Math.min(capacity - inside, Math.floor(rate === undefined ? tokens : tokens + 1 + rounding));
  };
  const turnstile = new Turnstile(limits, clock, (key) => {
    model.called(key, elapsed());
    // The turnstile does not learn that a key was deleted.
    if (byKey.get(key)?.vanishes) return true;
    if (calledGoFirst) controller.queue.addFirst(key);
    else controller.queue.add(key);
    return true;
  });
  const controller = new Controller({
    name: 'things',
    workers,
    clock,
    deadlineOf,
    log: { debug() {}, info() {}, warn() {}, error() {} },
    metrics: { ran: () => {} },
    reconcile: async (key, run) => {
      if (!byKey.has(key)) {
        await clock.sleep(local.ms);
        localDone++;
        return { do: 'rest' };
      }
      const places = freePlaces();
      model.arrives(key, deadlineOf(key));
      const isNext = model.order(elapsed()).slice(0, Math.max(0, places)).includes(key);
      // In the very moment in which a token is there, either answer is right.
      const isExact = freePlaces(1e-6) === freePlaces(-1e-6);
      const enters = turnstile.enter(key, deadlineOf(key));
      if (isExact && enters !== isNext)
        violations.push(`${key} ${enters ? 'entered' : 'was turned away'}, of ${places} places`);
      if (!enters) {
        return { do: 'rest' };
      }
      model.enters(key);
      entered.set(key, elapsed());
      inside++;
      await run.releaseWorker(() => clock.sleep(askMs));
      inside--;
      turnstile.leave();
      return { do: 'rest' };
    },
  });
  try {
    for (const { key } of askers) controller.queue.add(key);
    for (let n = 0; n < local.count; n++) controller.queue.add(`local/${n}`);
    controller.start();
    let idleSince = 0;
    while (elapsed() < 60_000) {
      const isThrough = askers.every(({ key, vanishes }) => vanishes || entered.has(key));
      if (isThrough && localDone === local.count && inside === 0) break;
      await clock.advance(50);
      await settle();
      // A free place is offered to one waiting key after the other.
      const next = model.order(elapsed()).slice(0, Math.max(0, freePlaces()));
      if (next.every((key) => model.waiting.get(key)?.calledAt !== undefined)) idleSince = elapsed();
      assert.ok(elapsed() - idleSince < LONGEST_IDLE_MS, `a place is free, and ${next} are not called`);
    }
    const stopped = controller.stop(0);
    await clock.advance(1_000);
    await stopped;
    assert.equal(violations, []);
    return entered;
  } finally {
    turnstile.close();
    giveBack();
  }
}

test('behind a queue of any depth no key is turned away from a free place, and all are served', async () => {
  await fc.assert(
    fc.asyncProperty(scene, async (each) => {
      const entered = await play(each);
      // One that vanishes may have entered when it came for the first time.
      for (const { key, vanishes } of each.askers) assert.ok(vanishes || entered.has(key), `${key} never entered`);
    }),
    { numRuns: 300 },
  );
});

test('an authority is asked as fast as it may be while the queue is deep', async () => {
  const entered = await play({
    workers: 2,
    local: { count: 250, ms: 50 },
    askers: Array.from({ length: 60 }, (_, n) => ({ key: `ns/${n}`, deadline: undefined, vanishes: false })),
    askMs: 100,
    limits: { capacity: 4, rate: { requests: 20, perMs: 1_000, burst: 4 } },
    calledGoFirst: true,
  });
  // 56 after the burst, at 20 a second; the local work takes 6 s.
  const last = Math.max(...entered.values());
  assert.is(entered.size, 60);
  assert.ok(last < 3_500, `the last one entered after ${last} ms`);
});

test.run();

import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { FakeClock, settle } from '../../test/unit/fake-clock.ts';
import { WorkQueue } from './work-queue.ts';

const START = new Date('2026-06-01T12:00:00Z');
const KEYS = ['a', 'b', 'c', 'd'] as const;

/** The same queue without any cleverness: every question is answered by looking through all keys. */
class NaiveQueue {
  readonly wanted = new Map<string, number>();
  readonly again = new Map<string, number>();
  readonly running = new Set<string>();

  add(key: string, at: number): void {
    const side = this.running.has(key) ? this.again : this.wanted;
    side.set(key, Math.min(side.get(key) ?? Number.POSITIVE_INFINITY, at));
  }

  done(key: string): void {
    this.running.delete(key);
    const at = this.again.get(key);
    this.again.delete(key);
    if (at !== undefined) this.add(key, at);
  }

  /** The keys that may be next: all with the earliest moment, since their order among each other is not defined. */
  candidates(now: number): string[] {
    const earliest = Math.min(...this.wanted.values());
    return earliest > now ? [] : [...this.wanted].filter(([, at]) => at === earliest).map(([key]) => key);
  }

  take(key: string): void {
    this.wanted.delete(key);
    this.running.add(key);
  }
}

type Command =
  | { readonly do: 'add'; readonly key: string; readonly inMs: number }
  | { readonly do: 'done'; readonly key: string }
  | { readonly do: 'take' }
  | { readonly do: 'wait'; readonly ms: number };

const key = fc.constantFrom(...KEYS);
const command: fc.Arbitrary<Command> = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({ do: fc.constant('add' as const), key, inMs: fc.integer({ min: -5_000, max: 30_000 }) }),
  },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('done' as const), key }) },
  { weight: 5, arbitrary: fc.constant({ do: 'take' as const }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('wait' as const), ms: fc.integer({ min: 1, max: 12_000 }) }) },
);

/** Runs both queues side by side; `handOut` gets each key that the real one gives to a worker. */
async function sideBySide(commands: readonly Command[]): Promise<void> {
  const clock = new FakeClock(START);
  const giveBack = clock.takeTimers();
  const queue = new WorkQueue(clock);
  const model = new NaiveQueue();
  const nowMs = () => clock.now().getTime();
  let waiting = 0;
  let closing = false;
  const take = () => {
    waiting += 1;
    void queue.take().then((taken) => {
      if (taken === undefined || closing) return;
      waiting -= 1;
      assert.not(model.running.has(taken), `${taken} is held already`);
      assert.ok(model.candidates(nowMs()).includes(taken), `${taken} is not next`);
      model.take(taken);
    });
  };
  try {
    for (const each of commands) {
      if (each.do === 'add') {
        queue.add(each.key, clock.in(each.inMs));
        model.add(each.key, nowMs() + each.inMs);
      } else if (each.do === 'done' && model.running.has(each.key)) {
        queue.done(each.key);
        model.done(each.key);
      } else if (each.do === 'take') take();
      else if (each.do === 'wait') await clock.advance(each.ms);
      await settle();
      assert.ok(waiting === 0 || model.candidates(nowMs()).length === 0, 'a worker waits while a key is due');
    }
    // Nothing is lost: all that is still wanted comes, once.
    for (const running of [...model.running]) {
      queue.done(running);
      model.done(running);
    }
    await settle();
    for (const running of [...model.running]) {
      queue.done(running);
      model.done(running);
    }
    while (waiting < KEYS.length) take();
    await clock.advance(60_000);
    assert.is(model.wanted.size, 0, `lost: ${[...model.wanted.keys()]}`);
  } finally {
    closing = true;
    queue.close();
    giveBack();
  }
}

test('the queue does what a naive one does, and loses nothing', async () => {
  await fc.assert(fc.asyncProperty(fc.array(command, { minLength: 1, maxLength: 40 }), sideBySide), { numRuns: 400 });
});

const MOST_COST_MS = 50;

interface Load {
  readonly workers: number;
  /** A namespace each: what its runs take at most, how many keys it has, and by when they are due. */
  readonly lanes: readonly { readonly costMs: number; readonly keys: number; readonly deadline: number | undefined }[];
  /** Between 0 and 1, for the choices on the way. */
  readonly chances: readonly number[];
}

const load: fc.Arbitrary<Load> = fc.record({
  workers: fc.integer({ min: 1, max: 4 }),
  lanes: fc.array(
    fc.record({
      costMs: fc.integer({ min: 1, max: MOST_COST_MS }),
      keys: fc.integer({ min: 1, max: 300 }),
      deadline: fc.option(fc.integer({ min: 1, max: 1_000 }), { nil: undefined }),
    }),
    { minLength: 2, maxLength: 6 },
  ),
  chances: fc.array(fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }), { minLength: 50, maxLength: 50 }),
});

/** Keys come again as often as they are run, so each lane always has a key ready unless all of its keys are being run. */
async function runsFairly({ workers, lanes, chances }: Load): Promise<void> {
  const clock = new FakeClock(START);
  const queue = new WorkQueue(clock, (each) => lanes[Number(each.split('/')[0])]?.deadline);
  for (const [lane, { keys }] of lanes.entries()) for (let n = 0; n < keys; n++) queue.add(`${lane}/${n}`);
  let drawn = 0;
  const chance = () => chances[drawn++ % chances.length] ?? 0;
  const running: string[] = [];
  const runningOf = (lane: number) => running.filter((each) => each.startsWith(`${lane}/`)).length;
  // By lane, what each other lane was charged while this one had a key ready and was not served.
  const waited = lanes.map(() => lanes.map(() => 0));
  for (let turn = 0; turn < 600; turn++) {
    while (running.length < Math.min(workers, lanes.length)) {
      const taken = (await queue.take()) ?? '';
      running.push(taken);
      waited[Number(taken.split('/')[0])]?.fill(0);
    }
    const [ended = ''] = running.splice(Math.floor(chance() * running.length), 1);
    const lane = Number(ended.split('/')[0]);
    const costMs = chance() * (lanes[lane]?.costMs ?? 0);
    queue.done(ended, costMs);
    queue.add(ended);
    for (const [other, charged] of waited.entries()) {
      if ((lanes[other]?.keys ?? 0) <= runningOf(other)) charged.fill(0);
      else charged[lane] = (charged[lane] ?? 0) + costMs;
      const most = 2 * (workers + 1) * MOST_COST_MS;
      assert.ok(
        charged.every((ms) => ms <= most),
        `lane ${other} waited for ${charged} ms of the others`,
      );
    }
  }
  queue.close();
}

test('no lane with a key that is ready waits for more than a few runs of each other lane', async () => {
  await fc.assert(fc.asyncProperty(load, runsFairly), { seed: 11, numRuns: 60 });
});

test.run();

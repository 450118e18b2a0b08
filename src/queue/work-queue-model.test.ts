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

  forget(key: string): void {
    this.wanted.delete(key);
    this.again.delete(key);
  }

  done(key: string): void {
    this.running.delete(key);
    const at = this.again.get(key);
    this.again.delete(key);
    if (at !== undefined) this.add(key, at);
  }

  /** Who may be next: all with the earliest moment, since the order of equals is nobody's business. */
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
  | { readonly do: 'forget' | 'done'; readonly key: string }
  | { readonly do: 'take' }
  | { readonly do: 'wait'; readonly ms: number };

const key = fc.constantFrom(...KEYS);
const command: fc.Arbitrary<Command> = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({ do: fc.constant('add' as const), key, inMs: fc.integer({ min: -5_000, max: 30_000 }) }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('forget' as const), key }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('done' as const), key }) },
  { weight: 5, arbitrary: fc.constant({ do: 'take' as const }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('wait' as const), ms: fc.integer({ min: 1, max: 12_000 }) }) },
);

/** Runs both queues side by side; `handOut` is told of every key that the real one gives to a worker. */
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
      } else if (each.do === 'forget') {
        queue.forget(each.key);
        model.forget(each.key);
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

test.run();

import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { eventually } from '../../test/e2e/support/eventually.ts';
import { systemClock } from '../clock.ts';
import { Turnstile } from './turnstile.ts';

test('no more than the capacity are inside, and the earliest deadline is called when one leaves', () => {
  const called: string[] = [];
  const turnstile = new Turnstile({ capacity: 2 }, systemClock, (key) => called.push(key) > 0);
  assert.ok(turnstile.enter('a', 10));
  assert.ok(turnstile.enter('b', 20));
  assert.not(turnstile.enter('late', 90));
  assert.not(turnstile.enter('soon', 30));
  assert.equal(called, []);
  turnstile.leave();
  assert.equal(called, ['soon']);
  assert.ok(turnstile.enter('soon', 30));
  turnstile.leave();
  assert.equal(called, ['soon', 'late']);
  turnstile.close();
});

test('room that is kept for a called key goes to no key behind it', () => {
  const turnstile = new Turnstile({ capacity: 1 }, systemClock, () => true);
  assert.ok(turnstile.enter('inside', 0));
  assert.not(turnstile.enter('called', 50));
  turnstile.leave();
  assert.not(turnstile.enter('newcomer', 90));
  assert.ok(turnstile.enter('called', 50));
  turnstile.close();
});

test('a key that arrives first in line enters, though another was called', () => {
  const called: string[] = [];
  const turnstile = new Turnstile({ capacity: 1 }, systemClock, (key) => called.push(key) > 0);
  assert.ok(turnstile.enter('inside', 0));
  assert.not(turnstile.enter('calm', 50));
  turnstile.leave();
  assert.ok(turnstile.enter('urgent', 1));
  assert.not(turnstile.enter('calm', 50));
  turnstile.leave();
  assert.equal(called, ['calm', 'calm']);
  assert.ok(turnstile.enter('calm', 50));
  turnstile.close();
});

test('a called key that comes late enters where there is room, and keeps its place where there is none', () => {
  let nowMs = 0;
  const called: string[] = [];
  const clock = { ...systemClock, monotonicMs: () => nowMs };
  const turnstile = new Turnstile({ capacity: 1 }, clock, (key) => called.push(key) > 0);
  assert.ok(turnstile.enter('inside', undefined));
  for (const key of ['first', 'second', 'third']) assert.not(turnstile.enter(key, undefined));
  turnstile.leave();
  nowMs += 1_500;
  assert.not(turnstile.enter('third', undefined));
  assert.equal(called, ['first', 'second']);
  assert.ok(turnstile.enter('first', undefined), 'ahead of who is called meanwhile');
  assert.not(turnstile.enter('second', undefined));
  assert.not(turnstile.enter('fourth', undefined));
  turnstile.leave();
  assert.ok(turnstile.enter('second', undefined));
  turnstile.close();
});

test('a called key that never comes is forgotten', () => {
  let nowMs = 0;
  const clock = { ...systemClock, monotonicMs: () => nowMs };
  const turnstile = new Turnstile({ capacity: 1 }, clock, () => true);
  assert.ok(turnstile.enter('inside', undefined));
  for (let n = 0; n < 1_000; n++) assert.not(turnstile.enter(`gone ${n}`, undefined));
  turnstile.leave();
  for (let second = 0; second < 3_000; second++) {
    nowMs += 1_000;
    turnstile.setConcurrency(1);
  }
  assert.is(turnstile.size, 0);
  turnstile.close();
});

test('behind a busy authority the new and the due take turns', () => {
  const called: string[] = [];
  const turnstile = new Turnstile({ capacity: 1 }, systemClock, (key) => called.push(key) > 0);
  turnstile.enter('inside', undefined);
  for (const key of ['new 1', 'new 2', 'new 3']) turnstile.enter(key, undefined);
  turnstile.enter('due 2', 200);
  turnstile.enter('due 1', 100);
  const order: string[] = [];
  for (let n = 0; n < 5; n++) {
    turnstile.leave();
    const next = called.at(-1) as string;
    assert.ok(turnstile.enter(next, next.startsWith('new') ? undefined : 1));
    order.push(next);
  }
  assert.equal(order, ['new 1', 'due 1', 'new 2', 'due 2', 'new 3']);
  turnstile.close();
});

test('a key that waits is held once, with its latest deadline', () => {
  const called: string[] = [];
  const turnstile = new Turnstile({ capacity: 1 }, systemClock, (key) => called.push(key) > 0);
  turnstile.enter('inside', 0);
  turnstile.enter('a', 50);
  turnstile.enter('b', 40);
  turnstile.enter('a', 30);
  turnstile.leave();
  assert.equal(called, ['a']);
  turnstile.close();
});

test('a rate lets a burst through, and then one each time', () => {
  let nowMs = 0;
  const clock = { ...systemClock, monotonicMs: () => nowMs };
  const turnstile = new Turnstile({ capacity: 100, rate: { requests: 2, perMs: 1000, burst: 3 } }, clock, () => true);
  const entered = () => ['a', 'b', 'c', 'd', 'e'].filter((key) => turnstile.enter(key, 0)).length;
  assert.is(entered(), 3);
  nowMs += 500;
  assert.is(entered(), 1);
  nowMs += 60_000;
  assert.is(entered(), 3, 'a pause fills the bucket, not more');
  turnstile.close();
});

test('the next key is called when its token is there, although no other key leaves', async () => {
  const called: string[] = [];
  const turnstile = new Turnstile(
    { capacity: 10, rate: { requests: 20, perMs: 1000, burst: 1 } },
    systemClock,
    (key) => called.push(key) > 0,
  );
  assert.ok(turnstile.enter('a', 0));
  assert.not(turnstile.enter('b', 0));
  await eventually('b is called', () => called.length > 0);
  assert.equal(called, ['b']);
  turnstile.close();
});

test('a called key that does not come keeps no other key waiting for ever', async () => {
  const called: string[] = [];
  const turnstile = new Turnstile({ capacity: 1 }, systemClock, (key) => called.push(key) > 0);
  turnstile.enter('inside', 0);
  turnstile.enter('absent', 1);
  turnstile.enter('patient', 2);
  turnstile.leave();
  assert.equal(called, ['absent']);
  await eventually('the patient one is called', () => called.length > 1);
  assert.equal(called, ['absent', 'patient']);
  turnstile.close();
});

test('a key that is gone at its turn leaves its place to the next, at once', () => {
  const called: string[] = [];
  const turnstile = new Turnstile({ capacity: 2 }, systemClock, (key) => {
    called.push(key);
    return !key.startsWith('gone');
  });
  for (const key of ['inside 1', 'inside 2']) assert.ok(turnstile.enter(key, undefined));
  for (let n = 0; n < 1_000; n++) assert.not(turnstile.enter(`gone ${n}`, undefined));
  for (const key of ['there', 'too']) assert.not(turnstile.enter(key, undefined));
  turnstile.leave();
  assert.equal([called.at(-1), called.length], ['there', 1_001]);
  turnstile.leave();
  assert.equal([called.at(-1), turnstile.size], ['too', 2]);
  turnstile.close();
});

test('a turnstile with concurrency 0 admits no key, with 1 one at a time by deadline, and without a limit all that the rate allows', () => {
  const called: string[] = [];
  const turnstile = new Turnstile({ capacity: 3 }, systemClock, (key) => called.push(key) > 0);
  assert.ok(turnstile.enter('inside', 1));
  turnstile.setConcurrency(0);
  for (const [index, key] of ['late', 'soon', 'later', 'last'].entries())
    assert.not(turnstile.enter(key, [30, 20, 40, 50][index]));
  turnstile.leave();
  assert.equal(called, []);
  turnstile.setConcurrency(1);
  assert.equal(called, ['soon']);
  assert.ok(turnstile.enter('soon', 20));
  assert.equal(called, ['soon']);
  turnstile.setConcurrency(Number.POSITIVE_INFINITY);
  assert.equal(called, ['soon', 'late', 'later']);
  turnstile.close();
});

test('a key that was inside when it was shut counts until it has left', () => {
  const called: string[] = [];
  const turnstile = new Turnstile({ capacity: 3 }, systemClock, (key) => called.push(key) > 0);
  for (const key of ['a', 'b']) assert.ok(turnstile.enter(key, 1));
  turnstile.setConcurrency(0);
  turnstile.enter('c', 1);
  turnstile.setConcurrency(1);
  turnstile.leave();
  assert.equal(called, []);
  turnstile.leave();
  assert.equal(called, ['c']);
  turnstile.close();
});

test('replicas that share a rate let no more in together, whatever their shares are', () => {
  for (const shares of [
    [0.5, 0.5],
    [0.2, 0.8],
    [0.3, 0.3, 0.4],
  ]) {
    let nowMs = 0;
    const clock = { ...systemClock, monotonicMs: () => nowMs };
    const rate = { requests: 10, perMs: 1_000, burst: 10 };
    const doors = shares.map((share) => new Turnstile({ capacity: 16, rate, share: () => share }, clock, () => true));
    let entered = 0;
    for (; nowMs < 30_000; nowMs += 20)
      for (const door of doors)
        if (door.enter('one', undefined)) {
          entered++;
          door.leave();
        }
    for (const door of doors) door.close();
    assert.ok(entered <= 10 + 300, `${entered} by ${shares}`);
    assert.ok(entered >= 280, `${entered} by ${shares}`);
  }
});

test('a share that grows brings no tokens with it', () => {
  let [nowMs, share] = [0, 0.1];
  const clock = { ...systemClock, monotonicMs: () => nowMs };
  const rate = { requests: 1, perMs: 1_000, burst: 10 };
  const door = new Turnstile({ capacity: 100, rate, share: () => share }, clock, () => true);
  assert.ok(door.enter('first', undefined));
  share = 1;
  assert.not(door.enter('second', undefined));
  nowMs = 1_100;
  assert.ok(door.enter('second', undefined));
  door.close();
});

test('what another replica may have used is not let in again by the one that takes over its share', () => {
  let nowMs = 0;
  const shares = [0.5, 0.5];
  const clock = { ...systemClock, monotonicMs: () => nowMs };
  const rate = { requests: 30, perMs: 3_600_000, burst: 30 };
  const [dead, heir] = shares.map(
    (_, index) => new Turnstile({ capacity: 100, rate, share: () => shares[index] ?? 0 }, clock, () => true),
  );
  const entered = (turnstile: Turnstile | undefined, prefix: string) =>
    Array.from({ length: 60 }, (_, each) => turnstile?.enter(`${prefix}${each}`, undefined)).filter(Boolean).length;
  nowMs = 10 * 3_600_000;
  assert.is(entered(dead, 'a'), 15);
  dead?.close();
  nowMs += 20_000;
  shares[1] = 1;
  assert.is(entered(heir, 'b'), 15);
  heir?.close();
});

test('a share that grows is used at once', async () => {
  const called: string[] = [];
  let share = 1e-6;
  const rate = { requests: 10, perMs: 1_000, burst: 1 };
  const call = (key: string) => called.push(key) > 0;
  const turnstile = new Turnstile({ capacity: 100, rate, share: () => share }, systemClock, call);
  assert.ok(turnstile.enter('first', undefined));
  assert.not(turnstile.enter('second', undefined));
  share = 1;
  turnstile.reshare();
  await eventually('the second is called', () => called.includes('second'), 2_000);
  turnstile.close();
});

test.run();

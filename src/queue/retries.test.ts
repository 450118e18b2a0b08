import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { Retries } from './retries.ts';

const BOUNDS = { backoff: { firstMs: 1_000, longestMs: 3_000 }, mostAttempts: 5, mostItems: 3 };
/** The middle of the spread of a backoff. */
const MIDDLE = 0.5;
const [one, two] = [{ id: '1' }, { id: '2' }];

test('a failed call is due after its backoff, which grows with each failure', () => {
  const retries = new Retries<{ id: string }>(BOUNDS);
  assert.is(retries.nextInMs('a', 0), undefined);
  let nowMs = 0;
  for (const waitMs of [1_000, 2_000, 3_000, 3_000]) {
    assert.ok(retries.failed('a', one, nowMs, MIDDLE));
    assert.is(retries.nextInMs('a', nowMs), waitMs);
    assert.equal(retries.due('a', nowMs + waitMs - 1), []);
    assert.equal(retries.due('a', nowMs + waitMs), [one]);
    assert.is(retries.nextInMs('a', nowMs + waitMs + 1), 0, 'a late one is due now');
    nowMs += waitMs;
  }
});

test('an item is given up after the most attempts, and begins anew when it comes again', () => {
  const retries = new Retries<{ id: string }>(BOUNDS);
  for (let attempt = 1; attempt < BOUNDS.mostAttempts; attempt++) assert.ok(retries.failed('a', one, 0, MIDDLE));
  assert.not(retries.failed('a', one, 0, MIDDLE));
  assert.is(retries.size, 0);
  assert.ok(retries.failed('a', one, 0, MIDDLE));
  assert.is(retries.nextInMs('a', 0), 1_000);
});

test('each item of a key has attempts of its own, and the earliest counts', () => {
  const retries = new Retries<{ id: string }>(BOUNDS);
  retries.failed('a', one, 0, MIDDLE);
  retries.failed('a', one, 0, MIDDLE);
  retries.failed('a', two, 0, MIDDLE);
  assert.is(retries.nextInMs('a', 0), 1_000);
  assert.equal(retries.due('a', 1_000), [two]);
  assert.equal(retries.due('a', 2_000), [one, two]);
  retries.done('a', two);
  assert.equal(retries.due('a', 2_000), [one]);
  assert.equal(retries.due('b', 2_000), []);
});

test('what is kept is bounded for all keys together; one that is known keeps its place', () => {
  const retries = new Retries<{ id: string }>(BOUNDS);
  for (const key of ['a', 'b', 'c']) assert.ok(retries.failed(key, one, 0, MIDDLE));
  assert.not(retries.failed('d', one, 0, MIDDLE));
  assert.not(retries.failed('a', two, 0, MIDDLE));
  assert.ok(retries.failed('a', one, 0, MIDDLE));
  assert.is(retries.size, 3);
  retries.done('b', one);
  assert.ok(retries.failed('d', one, 0, MIDDLE));
  assert.is(retries.size, 3);
});

test('what was never noted can be done', () => {
  const retries = new Retries<{ id: string }>(BOUNDS);
  retries.done('a', one);
  assert.is(retries.size, 0);
});

test.run();

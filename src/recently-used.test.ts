import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { RecentlyUsed } from './recently-used.ts';

test('what was used twice stays, however many come once', () => {
  const cache = new RecentlyUsed<number>({ most: 8, mostWeight: 1_000 });
  cache.set('common', 1, 1);
  assert.is(cache.get('common'), 1);
  for (let index = 0; index < 1_000; index += 1) cache.set(`once-${index}`, index, 100);
  assert.is(cache.get('common'), 1);
  assert.is(cache.get('once-999'), 999);
  assert.is(cache.get('once-0'), undefined);
});

test('what was used longest ago goes first, and what is too large is not kept', () => {
  const cache = new RecentlyUsed<number>({ most: 4, mostWeight: 20 });
  for (const [index, key] of ['a', 'b', 'c'].entries()) {
    cache.set(key, index, 1);
    cache.get(key);
  }
  assert.equal(
    ['a', 'b', 'c'].map((key) => cache.get(key)),
    [undefined, 1, 2],
  );
  cache.set('large', 9, 11);
  assert.is(cache.get('large'), undefined);
});

test.run();

import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { FairLine } from './fair-line.ts';

test('whoever comes again and again leaves little behind', () => {
  const living = new Map<string, number>();
  const line = new FairLine(({ key, at }) => living.get(key) === at);
  for (let at = 0; at < 10_000; at++) {
    const key = `key ${at % 10}`;
    living.set(key, at);
    line.push({ key, at, deadline: at % 3 === 0 ? at : undefined });
    line.tidy(living.size);
    assert.ok(line.size <= 2 * living.size + 64);
  }
  const popped = Array.from({ length: 11 }, () => line.pop()?.key);
  assert.is(new Set(popped.slice(0, 10)).size, 10);
  assert.is(popped[10], undefined);
});

test.run();

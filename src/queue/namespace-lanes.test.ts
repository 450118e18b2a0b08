import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { NamespaceLanes } from './namespace-lanes.ts';

test('a key that comes again and again leaves little behind', () => {
  const living = new Map<string, number>();
  const lanes = new NamespaceLanes(({ key, at }) => living.get(key) === at);
  for (let at = 0; at < 10_000; at++) {
    const key = `ns ${at % 2}/key ${at % 10}`;
    living.set(key, at);
    lanes.push({ key, at, deadline: at % 3 === 0 ? at : undefined });
    lanes.tidy(living.size);
    assert.ok(lanes.size <= 2 * living.size + 64);
  }
  const popped = Array.from({ length: 11 }, () => lanes.pop()?.key);
  assert.is(new Set(popped.slice(0, 10)).size, 10);
  assert.is(popped[10], undefined);
});

test('lanes are forgotten when nothing of them waits or runs', () => {
  const living = new Set<string>();
  const lanes = new NamespaceLanes(({ key }) => living.has(key));
  for (let at = 0; at < 10_000; at++) {
    const key = `namespace ${at}/key`;
    living.add(key);
    lanes.push({ key, at, deadline: undefined });
    assert.is(lanes.pop()?.key, key);
    living.delete(key);
    lanes.end(key, at % 50);
    lanes.pop();
    lanes.tidy(living.size);
    assert.ok(lanes.lanes <= 66, `${lanes.lanes} lanes`);
  }
});

test.run();

import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { isTimeToCollect } from './memory.ts';

const MB = 1_000_000;
const quiet = { utilization: 0.01, heapBytes: 200 * MB, collectedBytes: 50 * MB };

test('a heap that has grown is collected once it is quiet', () => {
  assert.ok(isTimeToCollect(quiet));
});

test('nothing is collected while there is work to do', () => {
  assert.not(isTimeToCollect({ ...quiet, utilization: 0.5 }));
});

test('a heap that has hardly grown since is left alone', () => {
  assert.not(isTimeToCollect({ ...quiet, heapBytes: 55 * MB }));
});

test('a large heap, whose collection takes long, has to have grown by a quarter', () => {
  const large = { ...quiet, collectedBytes: 400 * MB };
  assert.not(isTimeToCollect({ ...large, heapBytes: 490 * MB }));
  assert.ok(isTimeToCollect({ ...large, heapBytes: 510 * MB }));
});

test('the first time, the whole heap counts as grown', () => {
  assert.ok(isTimeToCollect({ ...quiet, heapBytes: 20 * MB, collectedBytes: 0 }));
});

test.run();

import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { SharedReads } from './fresh-reads.ts';

/** Counts what is begun, by id. */
function reads() {
  const shared = new SharedReads();
  const begun: string[] = [];
  const ask = (id: string, nowMs: number, result: Promise<void> = Promise.resolve()) =>
    shared.get(id, nowMs, () => {
      begun.push(`${id} at ${nowMs}`);
      return result;
    });
  return { begun, ask };
}

test('of many that ask for the same within a second one reads', async () => {
  const { begun, ask } = reads();
  await Promise.all([ask('ca', 0), ask('ca', 1), ask('labels', 500), ask('ca', 999)]);
  assert.equal(begun, ['ca at 0', 'labels at 500']);
});

test('what was read a second ago is read anew, and the rest is not', async () => {
  const { begun, ask } = reads();
  for (const [id, nowMs] of [
    ['ca', 0],
    ['labels', 400],
    ['ca', 1_000],
    ['labels', 1_300],
    ['labels', 1_400],
  ] as const)
    await ask(id, nowMs);
  assert.equal(begun, ['ca at 0', 'labels at 400', 'ca at 1000', 'labels at 1400']);
});

test('a read that fails fails for all that wait for it, and not for those after a second', async () => {
  const { begun, ask } = reads();
  const refused = Promise.reject(new Error('away'));
  const results = await Promise.allSettled([ask('ca', 0, refused), ask('ca', 10), ask('ca', 1_000)]);
  assert.equal(
    results.map(({ status }) => status),
    ['rejected', 'rejected', 'fulfilled'],
  );
  assert.is(begun.length, 2);
});

test.run();

import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { SharedReads } from './shared-reads.ts';

/** Reads that end when the test says so. */
function reads() {
  const shared = new SharedReads<void>();
  const begun: { readonly id: string; readonly end: () => void; readonly fail: (error: Error) => void }[] = [];
  const ask = (id: string) =>
    shared.get(id, () => {
      const { promise, resolve, reject } = Promise.withResolvers<void>();
      begun.push({ id, end: resolve, fail: reject });
      return promise;
    });
  return { begun, ask, ids: () => begun.map(({ id }) => id) };
}

const turn = () => new Promise((resolve) => setImmediate(resolve));

test('of many that ask for the same while it is read, one reads for all of them, and only after they asked', async () => {
  const { begun, ask, ids } = reads();
  const first = ask('ca');
  const late = Array.from({ length: 100 }, () => ask('ca'));
  let served = 0;
  for (const each of late) void each.then(() => served++);
  begun[0]?.end();
  await first;
  await turn();
  assert.equal(ids(), ['ca', 'ca']);
  assert.is(served, 0, 'by what was read before they asked');
  begun[1]?.end();
  await Promise.all(late);
  assert.is(begun.length, 2);
});

test('one that asks when nothing is read has a read of its own, however recent the last one is', async () => {
  const { begun, ask, ids } = reads();
  for (let count = 0; count < 3; count++) {
    const asked = ask('ca');
    begun[count]?.end();
    await asked;
    await turn();
  }
  assert.equal(ids(), ['ca', 'ca', 'ca']);
});

test('reads of several things go on at the same time', () => {
  const { ask, ids } = reads();
  void ask('ca');
  void ask('labels');
  assert.equal(ids(), ['ca', 'labels']);
});

test('a read that fails fails for those that wait for it alone', async () => {
  const { begun, ask } = reads();
  const asked = [ask('ca'), ask('ca')];
  const results = Promise.allSettled(asked);
  begun[0]?.fail(new Error('away'));
  await turn();
  begun[1]?.end();
  assert.equal(
    (await results).map(({ status }) => status),
    ['rejected', 'fulfilled'],
  );
});

test('a read that can not even begin fails as any other, and the next one begins', async () => {
  const shared = new SharedReads<string>();
  const broken = () => {
    throw new Error('no');
  };
  const slow = shared.get('ca', async () => 'first');
  const failed = shared.get('ca', broken).catch((error) => error.message);
  assert.equal([await slow, await failed], ['first', 'no']);
  await turn();
  assert.is(await shared.get('ca', async () => 'next'), 'next');
});

test.run();

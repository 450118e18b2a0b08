import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { LimitedLanes } from './limited-lanes.ts';

function bench(atOnce: number, longest = 100) {
  const lanes = new LimitedLanes(atOnce, longest);
  const begun: string[] = [];
  const ends = new Map<string, () => void>();
  const enter = (lane: string, name: string) =>
    lanes.enter(lane, (done) => {
      begun.push(name);
      ends.set(name, done);
    });
  return { begun, enter, end: (name: string) => ends.get(name)?.() };
}

test('one of each lane, and few in all', () => {
  const { begun, enter, end } = bench(2);
  for (const name of ['a1', 'a2', 'b1', 'c1']) enter(name.slice(0, 1), name);
  assert.equal(begun, ['a1', 'b1']);
  end('b1');
  assert.equal(begun, ['a1', 'b1', 'c1']);
  end('c1');
  assert.equal(begun.length, 3, 'the room that is left is not for a second one of the same lane');
  end('a1');
  assert.equal(begun, ['a1', 'b1', 'c1', 'a2']);
});

test('work that never ends delays its own lane alone', () => {
  const { begun, enter, end } = bench(2);
  for (let index = 0; index < 50; index++) enter('slow', `slow ${index}`);
  for (let index = 0; index < 50; index++) {
    enter('quick', `quick ${index}`);
    assert.is(begun.at(-1), `quick ${index}`);
    end(`quick ${index}`);
  }
  assert.is(begun.filter((name) => name.startsWith('slow')).length, 1);
});

test('lanes take turns', () => {
  const { begun, enter, end } = bench(1);
  for (const name of ['a1', 'a2', 'a3', 'b1', 'b2']) enter(name.slice(0, 1), name);
  for (let ended = 0; ended < 5; ended++) end(begun[ended] ?? '');
  assert.equal(begun, ['a1', 'a2', 'b1', 'a3', 'b2']);
});

test('a lane has an end, and others go on', () => {
  const { begun, enter, end } = bench(2, 3);
  assert.equal(
    ['a1', 'a2', 'a3', 'a4', 'a5'].map((name) => enter('a', name)),
    [true, true, true, true, false],
  );
  assert.ok(enter('b', 'b1'));
  end('a1');
  assert.ok(enter('a', 'a5'));
  assert.equal(begun, ['a1', 'b1', 'a2']);
});

test('a task that ends at once frees its place at once', () => {
  const lanes = new LimitedLanes(1, 10);
  let ran = 0;
  const work = (done: () => void) => {
    ran += 1;
    done();
  };
  for (let index = 0; index < 20; index++) assert.ok(lanes.enter('a', work));
  assert.is(ran, 20);
});

test.run();

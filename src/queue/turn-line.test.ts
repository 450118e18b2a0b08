import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { TurnLine } from './turn-line.ts';

interface Waiter {
  readonly key: string;
  readonly deadline: number | undefined;
}

/** Namespaces with up to so many keys each; about half of the keys have a deadline, and some deadlines are the same. */
const namespaces = (most: number) =>
  fc.array(
    fc.array(fc.option(fc.integer({ min: 0, max: 20 }), { nil: undefined }), { minLength: 1, maxLength: most }),
    {
      minLength: 1,
      maxLength: 8,
    },
  );

/** All keys, in the order in which they come. */
const shuffled = (most: number) =>
  namespaces(most).chain((lists) => {
    const all: Waiter[] = lists.flatMap((deadlines, space) =>
      deadlines.map((deadline, n) => ({ key: `ns-${space}/${n}`, deadline })),
    );
    return fc.shuffledSubarray(all, { minLength: all.length, maxLength: all.length });
  });

function lineOf(waiters: readonly Waiter[]): TurnLine {
  const line = new TurnLine();
  for (const { key, deadline } of waiters) line.put(key, deadline);
  return line;
}

function serveAll(line: TurnLine, count = Number.POSITIVE_INFINITY): string[] {
  const served: string[] = [];
  for (let n = 0; n < count; n++) {
    const [next] = line.first(1);
    if (next === undefined) break;
    line.serve(next.key);
    served.push(next.key);
  }
  return served;
}

const spaceOf = (key: string) => key.split('/')[0] ?? '';

test('of k namespaces that wait each gets every k-th entry, however many wait in the others', () => {
  fc.assert(
    fc.property(shuffled(30), (waiters) => {
      const left = new Map<string, number>();
      for (const { key } of waiters) left.set(spaceOf(key), (left.get(spaceOf(key)) ?? 0) + 1);
      const served = serveAll(lineOf(waiters)).map(spaceOf);
      assert.is(served.length, waiters.length);
      const servedAt = new Map([...left.keys()].map((space) => [space, -1]));
      for (const [index, space] of served.entries()) {
        const between = new Set(served.slice((servedAt.get(space) ?? -1) + 1, index));
        assert.is(between.size, index - (servedAt.get(space) ?? -1) - 1, `${space} waits for another one twice`);
        servedAt.set(space, index);
        left.set(space, (left.get(space) ?? 0) - 1);
      }
    }),
  );
});

test('inside a namespace the new and the due take turns, the earliest deadline first and the earliest arrival', () => {
  fc.assert(
    fc.property(shuffled(30), (waiters) => {
      const served = serveAll(lineOf(waiters));
      for (const space of new Set(served.map(spaceOf))) {
        const own = waiters.filter(({ key }) => spaceOf(key) === space);
        const due = own.filter(({ deadline }) => deadline !== undefined);
        due.sort((one, other) => (one.deadline ?? 0) - (other.deadline ?? 0));
        const fresh = own.filter(({ deadline }) => deadline === undefined);
        const expected: string[] = [];
        while (due.length + fresh.length > 0)
          for (const line of [fresh, due]) expected.push(...line.splice(0, 1).map(({ key }) => key));
        assert.equal(
          served.filter((key) => spaceOf(key) === space),
          expected,
        );
      }
    }),
  );
});

test('the order that the line predicts is the order in which it serves', () => {
  fc.assert(
    fc.property(shuffled(8), fc.nat(20), fc.nat(40), (waiters, servedBefore, limit) => {
      const line = lineOf(waiters);
      serveAll(line, servedBefore);
      const first = [...line.first(limit)].map(({ key }) => key);
      const left = [...line.first(Number.POSITIVE_INFINITY)];
      const ahead = left.map((place) => line.ahead(place, Number.POSITIVE_INFINITY));
      const bounded = left.map((place) => line.ahead(place, limit) < limit);
      assert.is(line.size, left.length);
      assert.equal(
        ahead,
        left.map((_, index) => index),
      );
      assert.equal(
        bounded,
        left.map((_, index) => index < limit),
      );
      assert.equal(first, serveAll(line, limit));
    }),
  );
});

test('a key that is set aside is passed over, and has its place again when it comes back', () => {
  fc.assert(
    fc.property(shuffled(8), fc.infiniteStream(fc.boolean()), (waiters, isAbsent) => {
      const absent = waiters.filter(() => isAbsent.next().value);
      const line = lineOf(waiters);
      for (const { key } of absent) line.setAside(key);
      assert.is(line.size, waiters.length - absent.length);
      const gone = new Set(absent.map(({ key }) => key));
      for (const { key } of line.first(100)) assert.not(gone.has(key));
      for (const { key, deadline } of absent) line.put(key, deadline);
      assert.equal(serveAll(line), serveAll(lineOf(waiters)));
    }),
  );
});

test('a flood of one namespace takes no more than every second entry from another one', () => {
  const line = new TurnLine();
  for (let n = 0; n < 10_000; n++) line.put(`flood/${n}`, n);
  for (let n = 0; n < 5; n++) line.put(`calm/${n}`, 1_000_000 + n);
  assert.is(serveAll(line, 10).filter((key) => spaceOf(key) === 'calm').length, 5);
});

test('a namespace that comes and goes waits for each of the others once', () => {
  const line = new TurnLine();
  for (let n = 0; n < 100; n++) for (const space of ['a', 'b']) line.put(`${space}/${n}`, undefined);
  for (let n = 0; n < 20; n++) {
    line.put('c/one', 0);
    const served = serveAll(line, 3);
    assert.ok(served.includes('c/one'), served.join(' '));
  }
});

test('nothing is left of keys that were served or dropped', () => {
  const line = new TurnLine();
  for (let n = 0; n < 1_000; n++) line.put(`ns-${n}/a`, n % 2 === 0 ? n : undefined);
  for (let n = 0; n < 500; n++) line.drop(`ns-${n}/a`);
  serveAll(line);
  assert.equal([line.size, [...line.first(1)]], [0, []]);
});

test('a hundred thousand keys of as many namespaces or of one are put in line and served in seconds', () => {
  const before = process.threadCpuUsage();
  for (const spaces of [1, 1_000]) {
    const line = new TurnLine();
    for (let n = 0; n < 100_000; n++) line.put(`ns-${n % spaces}/${n}`, (n * 7919) % 100_000);
    serveAll(line);
  }
  const { user, system } = process.threadCpuUsage(before);
  assert.ok(user + system < 10_000_000, `${user + system} microseconds`);
});

test.run();

import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { Heap } from './heap.ts';

const numbers = () => new Heap<number>((one, other) => one - other);

function drain<T>(heap: Heap<T>): T[] {
  const items: T[] = [];
  for (let item = heap.pop(); item !== undefined; item = heap.pop()) items.push(item);
  return items;
}

test('an empty heap has nothing', () => {
  const heap = numbers();
  assert.is(heap.peek(), undefined);
  assert.is(heap.pop(), undefined);
  assert.is(heap.size, 0);
});

test('items are popped in ascending order', () => {
  fc.assert(
    fc.property(fc.array(fc.integer()), (items) => {
      const heap = numbers();
      for (const item of items) heap.push(item);
      assert.is(heap.size, items.length);
      assert.equal(
        drain(heap),
        items.toSorted((one, other) => one - other),
      );
    }),
  );
});

const command = fc.oneof(
  { weight: 3, arbitrary: fc.integer().map((push) => ({ push })) },
  { weight: 2, arbitrary: fc.constant('pop' as const) },
  { weight: 1, arbitrary: fc.integer({ min: 2, max: 5 }).map((keepMultiplesOf) => ({ keepMultiplesOf })) },
);

test('a heap does what a sorted list does, whatever is done to it', () => {
  fc.assert(
    fc.property(fc.array(command, { maxLength: 200 }), (commands) => {
      const heap = numbers();
      let list: number[] = [];
      for (const each of commands) {
        if (each === 'pop') assert.is(heap.pop(), list.shift());
        else if ('push' in each) {
          heap.push(each.push);
          list = [...list, each.push].sort((one, other) => one - other);
        } else {
          heap.keep((item) => item % each.keepMultiplesOf === 0);
          list = list.filter((item) => item % each.keepMultiplesOf === 0);
        }
        assert.is(heap.peek(), list[0]);
        assert.is(heap.size, list.length);
      }
    }),
  );
});

test.run();

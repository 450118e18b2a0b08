import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { nextVersion } from './steps.ts';

function next(own: readonly number[], reported: readonly number[] = [], foreign: readonly number[] = []): number {
  const [generations, ours, theirs] = [reported, own, foreign].map((versions) =>
    versions.map((version) => ({ version })),
  );
  return nextVersion({ status: { generations } } as unknown as Parameters<typeof nextVersion>[0], {
    own: ours ?? [],
    foreign: theirs ?? [],
  });
}

test('a version follows the highest that is in use or was retired', () => {
  assert.is(next([]), 1);
  assert.is(next([2, 3]), 4);
  assert.is(next([2], [1, 7]), 8);
});

test('a foreign Secret takes no version but its own', () => {
  assert.is(next([2], [1], [7]), 3);
  assert.is(next([2], [1], [3, 4]), 5);
});

test('where the last version there is was taken, the first that is free follows, since a later one would not be read', () => {
  assert.is(next([1, 2, 1_000_000]), 3);
  assert.is(next([2], [1, 1_000_000], [3]), 4);
});

test.run();

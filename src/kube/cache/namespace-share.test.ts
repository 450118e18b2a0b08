import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { RawObject } from '../../api/parse.ts';
import { Cache } from './cache.ts';
import { ALL_NAMESPACES } from './entry.ts';

const LEFT_OUT = 'left out';

/** Keeps the type of a Secret, of which each character weighs a byte, and ten bytes for each namespace. */
function tenBytesEach() {
  const crowded: string[] = [];
  const cache = new Cache<string>({
    reduce: ({ type = '' }) => type,
    share: { bytes: 10, weigh: (value) => value.length, beyond: () => LEFT_OUT },
  });
  cache.onCrowded((namespace) => crowded.push(namespace));
  return { cache, crowded };
}

let version = 100;
function object(key: string, type: string): RawObject {
  version += 1;
  const [namespace = '', name = ''] = key.split('/');
  return { type, metadata: { namespace, name, uid: `uid of ${key}`, resourceVersion: String(version) } };
}

function list(cache: Cache<string>, objects: readonly RawObject[]): void {
  const draft = cache.begin();
  for (const each of objects) draft.add(each);
  cache.replace(ALL_NAMESPACES, draft, String(version));
}

test('a namespace keeps no more than its share, and takes nothing from another', () => {
  const { cache, crowded } = tenBytesEach();
  cache.upsert(ALL_NAMESPACES, object('a/1', 'x'.repeat(9)));
  cache.upsert(ALL_NAMESPACES, object('a/2', 'x'.repeat(9)));
  cache.upsert(ALL_NAMESPACES, object('a/3', 'x'.repeat(9)));
  cache.upsert(ALL_NAMESPACES, object('b/1', 'x'.repeat(9)));
  assert.equal(
    ['a/1', 'a/2', 'a/3', 'b/1'].map((key) => cache.get(key)),
    ['xxxxxxxxx', LEFT_OUT, LEFT_OUT, 'xxxxxxxxx'],
  );
  assert.is(cache.leftOut, 2);
  assert.equal(crowded, ['a'], 'told once');
});

test('a list is held to the share while it is read, and not at its end alone', () => {
  const { cache } = tenBytesEach();
  const objects = Array.from({ length: 5 }, (_, index) => object(`a/${index}`, 'x'.repeat(5)));
  list(cache, objects);
  assert.is(cache.leftOut, 3);
  list(cache, objects);
  assert.is(cache.leftOut, 3, 'the same list again finds the same');
});

test('an object that was left out is stored by the next list once there is room', () => {
  const { cache } = tenBytesEach();
  const [first, second] = [object('a/1', 'x'.repeat(9)), object('a/2', 'y'.repeat(9))];
  list(cache, [first, second]);
  assert.is(cache.get('a/2'), LEFT_OUT);
  cache.remove(ALL_NAMESPACES, object('a/1', ''));
  list(cache, [second]);
  assert.is(cache.get('a/2'), 'y'.repeat(9));
});

test('an object that grows beyond the share gives back what it had', () => {
  const { cache } = tenBytesEach();
  cache.upsert(ALL_NAMESPACES, object('a/1', 'x'.repeat(8)));
  cache.upsert(ALL_NAMESPACES, object('a/1', 'x'.repeat(20)));
  assert.is(cache.get('a/1'), LEFT_OUT);
  cache.upsert(ALL_NAMESPACES, object('a/2', 'x'.repeat(10)));
  assert.is(cache.get('a/2'), 'x'.repeat(10));
});

test('an object that shrinks is kept, however crowded its namespace is', () => {
  const { cache } = tenBytesEach();
  cache.upsert(ALL_NAMESPACES, object('a/1', 'x'.repeat(10)));
  cache.upsert(ALL_NAMESPACES, object('a/1', 'x'.repeat(3)));
  assert.is(cache.get('a/1'), 'xxx');
  cache.upsert(ALL_NAMESPACES, object('a/2', 'x'.repeat(7)));
  assert.is(cache.leftOut, 0);
});

test('a value is swapped for another view of the same version alone', () => {
  const { cache } = tenBytesEach();
  const known = object('a/1', 'x'.repeat(10));
  cache.upsert(ALL_NAMESPACES, known);
  cache.revise('a/1', 'another', 'y');
  assert.is(cache.get('a/1'), 'x'.repeat(10));
  cache.revise('a/1', known.metadata?.resourceVersion ?? '', 'y');
  assert.is(cache.get('a/1'), 'y');
  cache.upsert(ALL_NAMESPACES, object('a/2', 'x'.repeat(9)));
  assert.is(cache.leftOut, 0);
});

test('an older version of an object, which is ignored, takes no room and gives none', () => {
  const { cache } = tenBytesEach();
  const older = object('a/1', 'x');
  cache.upsert(ALL_NAMESPACES, object('a/1', 'x'.repeat(9)));
  cache.upsert(ALL_NAMESPACES, older);
  cache.put(older);
  cache.upsert(ALL_NAMESPACES, object('a/2', 'x'.repeat(9)));
  assert.equal([cache.get('a/1'), cache.get('a/2')], ['xxxxxxxxx', LEFT_OUT]);
});

test('no namespace keeps more than its share, whatever is added and removed', () => {
  const { cache } = tenBytesEach();
  for (let step = 0; step < 2_000; step += 1) {
    // A sequence without a pattern that is the same each time.
    const dice = (step * 2_654_435_761) % 4_294_967_296;
    const key = `${'ab'[dice % 2]}/${(dice >>> 3) % 5}`;
    if (dice % 7 === 0) cache.remove(ALL_NAMESPACES, object(key, ''));
    else if (dice % 11 === 0) list(cache, [object('a/0', 'x'.repeat(4)), object(key, 'x'.repeat(9))]);
    else cache.upsert(ALL_NAMESPACES, object(key, 'x'.repeat((dice >>> 5) % 12)));
    for (const namespace of ['a', 'b']) {
      const kept = [...cache.keys()].filter((each) => each.startsWith(namespace)).map((each) => cache.get(each) ?? '');
      const bytes = kept.filter((each) => each !== LEFT_OUT).reduce((sum, each) => sum + each.length, 0);
      assert.ok(bytes <= 10, `step ${step}: ${bytes} bytes in ${namespace}`);
    }
  }
});

test('a namespace is complete unless an object of it was left out, also one that is no longer remembered', () => {
  const { cache } = tenBytesEach();
  cache.upsert(ALL_NAMESPACES, object('a/1', 'x'.repeat(9)));
  assert.ok(cache.isComplete('a'));
  const left = Array.from({ length: 1_500 }, (_, index) => object(`a/left-${index}`, 'x'.repeat(9)));
  for (const each of left) cache.upsert(ALL_NAMESPACES, each);
  assert.equal(
    ['a', 'b'].map((each) => cache.isComplete(each)),
    [false, true],
  );
  for (const each of left.slice(-1_000)) cache.remove(ALL_NAMESPACES, each);
  assert.not(cache.isComplete('a'), 'those that are not remembered are there');
  list(cache, [object('a/1', 'x'.repeat(9))]);
  assert.ok(cache.isComplete('a'));
});

test.run();

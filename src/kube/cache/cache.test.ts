import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { RawObject } from '../../api/parse.ts';
import { CREATE_ONLY } from '../object.ts';
import { Cache } from './cache.ts';
import { ALL_NAMESPACES } from './entry.ts';

type Change = [key: string, before: string | undefined, after: string | undefined];

function object(name: string, resourceVersion: string, note: string, namespace = 'ns', uid = `uid-${name}`): RawObject {
  return { metadata: { namespace, name, uid, resourceVersion, annotations: { note } } };
}

function newCache() {
  const cache = new Cache<string, 'letter'>({
    reduce: (one) => {
      const note = one.metadata?.annotations?.note ?? '';
      if (note === 'broken') throw new Error('cannot be reduced');
      return note;
    },
    indexes: { letter: (note) => note.split('') },
  });
  const changes: Change[] = [];
  cache.onChange((...change) => changes.push(change));
  return { cache, changes };
}

function list(
  cache: Cache<string, 'letter'>,
  scope: string,
  resourceVersion: string,
  objects: RawObject[],
  draft = cache.begin(),
): void {
  for (const one of objects) draft.add(one);
  cache.replace(scope, draft, resourceVersion);
}

test('a relist reports what came, changed and went, and nothing else', () => {
  const { cache, changes } = newCache();
  list(cache, ALL_NAMESPACES, '10', [object('same', '1', 'a'), object('changes', '2', 'b'), object('goes', '3', 'c')]);
  changes.length = 0;
  list(cache, ALL_NAMESPACES, '20', [
    object('same', '1', 'a'),
    object('changes', '12', 'd'),
    object('comes', '13', 'e'),
  ]);
  assert.equal(changes, [
    ['ns/goes', 'c', undefined],
    ['ns/changes', 'b', 'd'],
    ['ns/comes', undefined, 'e'],
  ]);
});

test('what a read did not find goes, unless it is newer than the read', () => {
  const { cache, changes } = newCache();
  list(cache, ALL_NAMESPACES, '10', [object('goes', '3', 'a'), object('stays', '9', 'b')]);
  changes.length = 0;
  for (const name of ['goes', 'stays', 'unknown']) cache.absent(`ns/${name}`, '8');
  assert.equal(changes, [['ns/goes', 'a', undefined]]);
  assert.equal([...cache.keys()], ['ns/stays']);
  assert.equal(cache.byIndex('letter', 'a'), []);
});

test('listeners of a relist see all of it in place', () => {
  const { cache } = newCache();
  const sizes: number[] = [];
  cache.onChange(() => sizes.push(cache.size));
  list(cache, ALL_NAMESPACES, '10', [object('a', '1', 'a'), object('b', '2', 'b'), object('c', '3', 'c')]);
  assert.equal(sizes, [3, 3, 3]);
});

test('a relist of one namespace leaves the others alone', () => {
  const { cache } = newCache();
  list(cache, 'one', '10', [object('a', '1', 'a', 'one')]);
  list(cache, 'two', '10', [object('b', '2', 'b', 'two')]);
  list(cache, 'one', '11', []);
  assert.equal([...cache.keys()], ['two/b']);
});

test('a relist takes everything back in time when etcd was restored from a backup', () => {
  const { cache } = newCache();
  list(cache, ALL_NAMESPACES, '100', [object('a', '90', 'new'), object('b', '95', 'later')]);
  list(cache, ALL_NAMESPACES, '50', [object('a', '40', 'old')]);
  assert.is(cache.get('ns/a'), 'old');
  assert.is(cache.size, 1);
  cache.upsert(ALL_NAMESPACES, object('a', '51', 'newer'));
  assert.is(cache.get('ns/a'), 'newer');
});

test('an object that is not newer than the stored one is ignored', () => {
  const { cache, changes } = newCache();
  cache.upsert(ALL_NAMESPACES, object('a', '9', 'a'));
  cache.upsert(ALL_NAMESPACES, object('a', '10', 'b'));
  cache.upsert(ALL_NAMESPACES, object('a', '9', 'a'));
  cache.upsert(ALL_NAMESPACES, object('a', '10', 'b'));
  assert.is(cache.get('ns/a'), 'b');
  assert.is(changes.length, 2);
});

test('a late deletion of an earlier life leaves the object alone', () => {
  const { cache } = newCache();
  cache.put(object('a', '20', 'second life', 'ns', 'uid-2'));
  cache.remove(ALL_NAMESPACES, object('a', '15', 'first life', 'ns', 'uid-1'));
  assert.is(cache.get('ns/a'), 'second life');
});

test('our own write over the known version calls no listener, nor does its echo', () => {
  const { cache, changes } = newCache();
  cache.upsert(ALL_NAMESPACES, object('a', '10', 'a'));
  changes.length = 0;
  cache.put(object('a', '11', 'b'), '10');
  cache.upsert(ALL_NAMESPACES, object('a', '11', 'b'));
  cache.put(object('new', '12', 'c'), CREATE_ONLY);
  cache.upsert(ALL_NAMESPACES, object('new', '12', 'c'));
  assert.is(cache.get('ns/a'), 'b');
  assert.is(cache.get('ns/new'), 'c');
  assert.equal(changes, []);
});

test('our own write over another version calls all listeners, since another change may be inside', () => {
  const { cache, changes } = newCache();
  cache.upsert(ALL_NAMESPACES, object('a', '10', 'a'));
  changes.length = 0;
  cache.put(object('a', '13', 'b'));
  cache.put(object('a', '15', 'c'), '14');
  assert.equal(changes, [
    ['ns/a', 'a', 'b'],
    ['ns/a', 'b', 'c'],
  ]);
});

test('the late answer to our own write does not bring back what was deleted since', () => {
  const { cache } = newCache();
  list(cache, ALL_NAMESPACES, '5', []);
  cache.upsert(ALL_NAMESPACES, object('a', '10', 'a'));
  cache.remove(ALL_NAMESPACES, object('a', '11', 'a'));
  cache.put(object('a', '10', 'a'), CREATE_ONLY);
  assert.is(cache.get('ns/a'), undefined);
});

test('a list that was read before our own write does not undo it', () => {
  const { cache, changes } = newCache();
  list(cache, ALL_NAMESPACES, '10', [object('a', '8', 'a')]);
  const draft = cache.begin();
  cache.put(object('a', '21', 'ours'), '8');
  cache.put(object('b', '22', 'ours'), CREATE_ONLY);
  changes.length = 0;
  list(cache, ALL_NAMESPACES, '20', [object('a', '8', 'a')], draft);
  assert.is(cache.get('ns/a'), 'ours');
  assert.is(cache.get('ns/b'), 'ours');
  assert.equal(changes, []);
});

test('an index follows each change', () => {
  const { cache } = newCache();
  cache.upsert(ALL_NAMESPACES, object('a', '1', 'xy'));
  cache.upsert(ALL_NAMESPACES, object('b', '2', 'y'));
  assert.equal(cache.keysByIndex('letter', 'y'), ['ns/a', 'ns/b']);
  cache.upsert(ALL_NAMESPACES, object('a', '3', 'x'));
  assert.equal(cache.byIndex('letter', 'y'), ['y']);
  cache.remove(ALL_NAMESPACES, object('b', '4', 'y'));
  assert.equal(cache.keysByIndex('letter', 'y'), []);
});

test('an object that cannot be reduced keeps what was known of it, and harms no other', () => {
  const { cache } = newCache();
  list(cache, ALL_NAMESPACES, '10', [object('a', '1', 'a'), object('b', '2', 'b')]);
  list(cache, ALL_NAMESPACES, '20', [object('a', '11', 'broken'), object('b', '12', 'c'), object('d', '13', 'broken')]);
  assert.is(cache.get('ns/a'), 'a');
  assert.is(cache.get('ns/b'), 'c');
  assert.is(cache.size, 2);
});

test('the key of an object without a namespace is its name', () => {
  const { cache } = newCache();
  cache.upsert(ALL_NAMESPACES, object('authority', '1', 'a', ''));
  assert.is(cache.get('authority'), 'a');
});

test.run();

import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { RawObject } from '../../api/parse.ts';
import { Cache } from './cache.ts';
import { ALL_NAMESPACES } from './entry.ts';

const BYTES = 10;
const LEFT_OUT = 'left out';
const KEYS = ['a/1', 'a/2', 'a/3', 'b/1', 'b/2'];

function newCache(): Cache<string> {
  return new Cache<string>({
    reduce: ({ type = '' }) => {
      if (type === 'broken') throw new Error('cannot be reduced');
      return type;
    },
    share: { bytes: BYTES, weigh: (value) => value.length, beyond: () => LEFT_OUT },
  });
}

function object(key: string, version: number, type: string): RawObject {
  const [namespace = '', name = ''] = key.split('/');
  return { type, metadata: { namespace, name, uid: `uid of ${key}`, resourceVersion: String(1_000 + version) } };
}

interface Step {
  readonly do: 'upsert' | 'put' | 'remove' | 'revise' | 'list' | 'list that fails';
  readonly key: string;
  readonly type: string;
  /** How many versions ago it was. */
  readonly age: number;
  /** What else a list finds, and what happens while it is read. */
  readonly others: readonly (readonly [key: string, type: string])[];
  readonly meanwhile: 'put' | 'revise' | 'nothing';
}

const aType = fc.oneof(
  fc.integer({ min: 0, max: 12 }).map((length) => 'x'.repeat(length)),
  fc.constant('broken'),
);
const aKey = fc.constantFrom(...KEYS);
const aStep: fc.Arbitrary<Step> = fc.record({
  do: fc.constantFrom('upsert', 'upsert', 'put', 'remove', 'revise', 'list', 'list that fails'),
  key: aKey,
  type: aType,
  age: fc.oneof(fc.constant(0), fc.integer({ min: 1, max: 20 })),
  others: fc.array(fc.tuple(aKey, aType), { maxLength: 4 }),
  meanwhile: fc.constantFrom('put', 'revise', 'nothing'),
});

/** Carries out the steps, and checks the cache after each half of a step. */
function play(steps: readonly Step[], look: (cache: Cache<string>, step: number) => void): void {
  const cache = newCache();
  const versions = new Map<string, string>();
  let version = 100;
  const next = (key: string, type: string, age = 0) => {
    version += 1;
    const found = object(key, Math.max(0, version - age), type);
    if (age === 0) versions.set(key, found.metadata?.resourceVersion ?? '');
    return found;
  };
  for (const [index, { do: act, key, type, age, others, meanwhile }] of steps.entries()) {
    const revise = () => cache.revise(key, versions.get(key) ?? '', type);
    if (act === 'upsert') cache.upsert(ALL_NAMESPACES, next(key, type, age));
    else if (act === 'put') cache.put(next(key, type, age));
    else if (act === 'remove') cache.remove(ALL_NAMESPACES, next(key, '', age));
    else if (act === 'revise') revise();
    else {
      const draft = cache.begin();
      for (const [other, its] of others) draft.add(next(other, its));
      look(cache, index);
      if (meanwhile === 'put') cache.put(next(key, type));
      if (meanwhile === 'revise') revise();
      look(cache, index);
      if (act === 'list') cache.replace(ALL_NAMESPACES, draft, String(1_000 + version));
    }
    look(cache, index);
  }
}

test('the weight of a namespace is the weight of its stored objects, whatever is added and removed', () => {
  fc.assert(
    fc.property(fc.array(aStep, { maxLength: 60 }), (steps) =>
      play(steps, (cache, step) => {
        for (const namespace of ['a', 'b']) {
          const kept = [...cache.keys()].filter((key) => key.startsWith(namespace)).map((key) => cache.get(key) ?? '');
          const weight = kept.reduce((sum, each) => sum + (each === LEFT_OUT ? 0 : each.length), 0);
          assert.is(cache.usedBy(namespace), weight, `step ${step}, namespace ${namespace}`);
        }
        assert.is(cache.leftOut, [...cache.values()].filter((each) => each === LEFT_OUT).length, `step ${step}`);
      }),
    ),
    { seed: 7, numRuns: 400 },
  );
});

const MANY = 5_000;
const MOST = 1_000;

function crowd(type: string, from = 0): RawObject[] {
  return Array.from({ length: MANY }, (_, index) => object(`a/${index}`, from + index, type));
}

/** A cache in which one object takes all of the share, and thousands have no room. */
function crowded() {
  const cache = newCache();
  const gone: string[] = [];
  cache.onChange((key, _before, after) => void (after === undefined && gone.push(key)));
  cache.upsert(ALL_NAMESPACES, object('a/first', 0, 'x'.repeat(BYTES)));
  return { cache, gone };
}

test('of thousands of objects that are left out, the newest are remembered and the others counted', () => {
  const { cache, gone } = crowded();
  for (const each of crowd('yy')) cache.upsert(ALL_NAMESPACES, each);
  assert.is(cache.size, 1 + MOST);
  assert.is(cache.leftOut, MANY);
  assert.is(gone.length, MANY - MOST);
  assert.is(cache.get(`a/${MANY - 1}`), LEFT_OUT);
  assert.not(cache.isAbsent('a/0'), 'there may be such an object');
  assert.ok(cache.isAbsent('b/0'));
  assert.is(cache.get('a/first'), 'x'.repeat(BYTES));
});

test('an object that is left out and not remembered is counted once, however often it changes, and no more after its deletion', () => {
  const { cache } = crowded();
  for (const each of crowd('yy')) cache.upsert(ALL_NAMESPACES, each);
  for (const each of crowd('yy', MANY)) cache.upsert(ALL_NAMESPACES, each, true);
  assert.is(cache.leftOut, MANY);
  for (let index = 0; index < 10; index += 1) cache.remove(ALL_NAMESPACES, object(`a/${index}`, 3 * MANY, ''));
  assert.is(cache.leftOut, MANY - 10);
});

test('a list remembers as few, finds the same when it comes again, and lets those in for which there is room', () => {
  const { cache, gone } = crowded();
  const first = object('a/first', 0, 'x'.repeat(BYTES));
  const list = (objects: readonly RawObject[]) => {
    const draft = cache.begin();
    for (const each of objects) draft.add(each);
    assert.ok(draft.entries.size <= BYTES + MOST);
    cache.replace(ALL_NAMESPACES, draft, String(2 * MANY));
  };
  list([first, ...crowd('yy')]);
  assert.equal([cache.size, cache.leftOut], [1 + MOST, MANY]);
  list([first, ...crowd('yy')]);
  assert.equal([cache.size, cache.leftOut, gone], [1 + MOST, MANY, []]);
  cache.remove(ALL_NAMESPACES, object('a/first', 3 * MANY, ''));
  list(crowd('yy'));
  assert.is(cache.usedBy('a'), BYTES);
  assert.is(cache.leftOut, MANY - BYTES / 2);
  list(crowd('yy').slice(0, 3));
  assert.equal([cache.size, cache.leftOut, cache.isAbsent('a/7')], [3, 0, true]);
});

test('few are remembered where much is kept of each', () => {
  const cache = new Cache<string>({
    reduce: ({ type = '' }) => type,
    share: { bytes: 0, weigh: (value) => value.length, beyond: ({ type = '' }) => type },
  });
  for (let index = 0; index < 50; index += 1)
    cache.upsert(ALL_NAMESPACES, object(`a/${index}`, index, 'z'.repeat(100_000)));
  assert.is(cache.size, 10);
  assert.is(cache.leftOut, 50);
});

test.run();

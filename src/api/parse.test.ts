import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { TerminalError } from '../errors.ts';
import { keyOf, parseMeta, validator } from './parse.ts';

test('the metadata of an object is read', () => {
  const metadata = {
    namespace: 'ns',
    name: 'a',
    uid: 'u',
    resourceVersion: '5',
    generation: 2,
    creationTimestamp: '2026-06-01T12:00:00Z',
    deletionTimestamp: '2026-06-02T12:00:00Z',
    finalizers: ['foregroundDeletion', 'certwheel.io/revocation'],
  };
  assert.equal(parseMeta({ metadata }), {
    namespace: 'ns',
    name: 'a',
    uid: 'u',
    resourceVersion: '5',
    generation: 2,
    createdAt: '2026-06-01T12:00:00Z',
    deleting: ['foregroundDeletion', 'certwheel.io/revocation'],
    revocationHold: 1,
  });
});

test('an object without metadata has empty ones, and is the oldest of all', () => {
  for (const object of [{}, { metadata: {} }]) {
    const meta = parseMeta(object);
    assert.equal([meta.namespace, meta.name, meta.uid, meta.generation, meta.deleting], ['', '', '', 0, undefined]);
    assert.ok(meta.createdAt < '1970-01-01T00:00:00Z');
  }
});

const validate = validator<{ a: { b: number[]; c: string }; d?: string }>({
  type: 'object',
  required: ['a'],
  properties: {
    d: { type: 'string' },
    e: { type: 'string', default: 'y', enum: ['y', 'z'] },
    a: {
      type: 'object',
      properties: { b: { type: 'array', items: { type: 'integer' } }, c: { type: 'string', default: 'x' } },
    },
  },
});

test('defaults are filled in', () => {
  assert.equal(validate({ a: { b: [1] } }), { a: { b: [1], c: 'x' }, e: 'y' });
});

const FAULTS: Record<string, [spec: unknown, message: string]> = {
  'no spec at all': [undefined, 'spec must be object'],
  'null for a spec': [null, 'spec must be object'],
  'a list for a spec': [[], 'spec must be object'],
  'a field that is missing': [{}, "spec must have required property 'a'"],
  'a field deep inside': [{ a: { b: [1, 'two'] } }, 'spec.a.b.1 must be integer'],
  'a field that may be missing': [{ a: {}, d: 1 }, 'spec.d must be string'],
  'a field with a default': [{ a: {}, e: 'x' }, 'spec.e must be equal to one of the allowed values'],
};

for (const [sentence, [spec, message]] of Object.entries(FAULTS)) {
  test(`${sentence} is named by its path`, () => {
    assert.throws(
      () => validate(spec),
      (error: unknown) => error instanceof TerminalError && error.code === 'InvalidSpec' && error.message === message,
    );
  });
}

test('a key is the namespace and the name, or the name alone', () => {
  assert.is(keyOf({ namespace: 'ns', name: 'a' }), 'ns/a');
  assert.is(keyOf({ namespace: '', name: 'a' }), 'a');
});

test.run();

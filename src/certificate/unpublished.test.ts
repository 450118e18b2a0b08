import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { generateKey } from '../pki/keys.ts';
import { type Made, Unpublished } from './unpublished.ts';

const NOW = new Date('2026-06-01T12:00:00Z');
const resource = { uid: 'u1', generation: 3 };
const made: Made = { issued: { chain: [] }, key: await generateKey({ algorithm: 'Ed25519' }), issuedAt: NOW };
const after = (ms: number) => new Date(NOW.getTime() + ms);

test('what is kept is handed out once', () => {
  const unpublished = new Unpublished();
  unpublished.keep(resource, made);
  assert.is(unpublished.take(resource, after(1_000))?.key, made.key);
  assert.is(unpublished.take(resource, after(1_000)), undefined);
});

test('not to another spec, nor to another resource', () => {
  const unpublished = new Unpublished();
  unpublished.keep(resource, made);
  assert.is(unpublished.take({ uid: 'u2', generation: 3 }, NOW), undefined);
  assert.is(unpublished.take({ uid: 'u1', generation: 4 }, NOW), undefined);
});

test('not after a minute, nor before it was issued by a clock that was set back', () => {
  for (const ms of [60_000, -1]) {
    const unpublished = new Unpublished();
    unpublished.keep(resource, made);
    assert.is(unpublished.take(resource, after(ms)), undefined);
  }
});

test('not when it was dropped', () => {
  const unpublished = new Unpublished();
  unpublished.keep(resource, made);
  unpublished.drop('u1');
  assert.is(unpublished.take(resource, NOW), undefined);
});

test.run();

import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { type Clock, systemClock } from '../clock.ts';
import { parseRetryAfter, withoutSecrets } from '../foreign-text.ts';
import { statusError } from './answer.ts';

const clock: Clock = { ...systemClock, now: () => new Date('2026-01-01T00:00:00Z') };

test('Retry-After is read as seconds or as a date, and anything else is as good as none', () => {
  assert.is(parseRetryAfter('5', clock), 5_000);
  assert.is(parseRetryAfter('0', clock), 0);
  assert.is(parseRetryAfter('Thu, 01 Jan 2026 00:00:30 GMT', clock), 30_000);
  assert.is(parseRetryAfter('Wed, 31 Dec 2025 23:00:00 GMT', clock), 0);
  assert.is(parseRetryAfter('soon', clock), undefined);
  assert.is(parseRetryAfter('', clock), undefined);
  assert.is(parseRetryAfter(undefined, clock), undefined);
});

test('a Retry-After of a year is cut to an hour', () => {
  assert.is(parseRetryAfter('31536000', clock), 3_600_000);
});

test('the seconds in a Status count where there is no header', () => {
  assert.is(statusError({ details: { retryAfterSeconds: 3 } }, 429).retryAfterMs, 3_000);
  assert.is(statusError({ details: { retryAfterSeconds: 3 } }, 429, { retryAfterMs: 1_000 }).retryAfterMs, 1_000);
});

test('a message loses whatever could be a key or a token, and its length', () => {
  const key = Buffer.alloc(200, 7).toString('base64');
  assert.not.match(withoutSecrets(`data[tls.key]: Invalid value: "${key}"`), /[A-Za-z0-9+/=]{64}/);
  assert.is(withoutSecrets('word '.repeat(1_000)).length, 1_024);
  assert.is(withoutSecrets('s.abc is no s.abc', ['s.abc', '']), '[…] is no […]');
  assert.is(withoutSecrets('secrets "a" already exists'), 'secrets "a" already exists');
});

test.run();

import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { pollAfterMs } from './polling.ts';

const CREATED = '2026-01-01T00:00:00Z';
const SECOND = 1_000;
const MINUTE = 60 * SECOND;

const waitAt = (ageMs: number, creationTimestamp: string | undefined = CREATED) =>
  pollAfterMs({ metadata: { creationTimestamp } } as never, new Date(Date.parse(CREATED) + ageMs));

test('a request is polled after a second, then after a quarter of its age, and once a minute in the end', () => {
  assert.equal(
    [0, 2 * SECOND, 40 * SECOND, MINUTE, 10 * MINUTE].map((age) => waitAt(age)),
    [SECOND, SECOND, 10 * SECOND, 15 * SECOND, MINUTE],
  );
});

test('a clock that was set back by an hour does not have each request polled once a second for an hour', () => {
  assert.is(waitAt(-60 * MINUTE), MINUTE);
  assert.is(waitAt(-2 * SECOND), SECOND, 'a clock that is a little behind that of the API server');
});

test('a request without a moment of creation is polled after a second', () => {
  assert.is(pollAfterMs({ metadata: {} }, new Date(CREATED)), SECOND);
});

test.run();

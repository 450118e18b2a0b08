import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { issuedAt, loggedAt, provesSoon, writtenAt } from './moments.ts';

/** A Secret as the API server stores it, that was written at these moments. */
function written(...times: readonly string[]) {
  const annotations = { 'certwheel.io/issued-at': '2026-01-01T00:00:09.876Z' };
  return { metadata: { name: 'a', annotations, managedFields: times.map((time) => ({ time })) } };
}

test('the moment of a version is that of its last writer', () => {
  const object = written('2026-01-01T00:00:10Z', '2026-01-01T00:00:12Z', '2026-01-01T00:00:11Z');
  assert.equal(writtenAt(object), new Date('2026-01-01T00:00:12Z'));
  assert.equal(issuedAt(object), new Date('2026-01-01T00:00:09.876Z'));
  assert.throws(() => writtenAt(written()), 'a has no managedFields, which say when it was written');
  const line = { level: 'info', message: 'x', timestamp: '2026-01-01T00:00:01.234Z' };
  assert.equal(loggedAt(line), new Date('2026-01-01T00:00:01.234Z'));
});

test('what was written in time is in time however late a test sees it, and what was not is not', () => {
  const fromMs = Date.parse('2026-01-01T00:00:10.900Z');
  // All of it is long ago.
  provesSoon('in time', written('2026-01-01T00:00:15Z'), fromMs, 5_000);
  let told = '';
  try {
    provesSoon('late', written('2026-01-01T00:00:16Z'), fromMs, 5_000);
  } catch (error) {
    told = (error as Error).message;
  }
  assert.match(told, 'late: after 6000 ms');
});

test.run();

import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { FakeClock } from '../../test/unit/fake-clock.ts';
import type { RawObject } from '../api/parse.ts';
import { Lease, nextTransitions } from './lease.ts';

test('one that waits says once for each holder who has the Lease', async () => {
  const clock = new FakeClock(new Date('2026-06-01T12:00:00Z'));
  const logged: unknown[] = [];
  const note = (message: string, fields: object = {}) => void logged.push([message, fields]);
  let holder = 'shards-64';
  let version = 100;
  const stored = (): RawObject => ({
    metadata: { resourceVersion: String(++version) },
    spec: { holderIdentity: holder, leaseDurationSeconds: 60 },
  });
  const lease = new Lease({
    client: { get: async () => stored() as never, apply: async () => stored() as never },
    clock,
    logger: { debug() {}, info: note, warn: note, error: note },
    namespace: 'certwheel-system',
    name: 'certwheel',
    identity: 'shards-32',
  });
  const stopping = new AbortController();
  const running = lease.run(stopping.signal, { onStarted: () => {}, onLost: () => {} });
  await clock.advance(30_000);
  holder = 'certwheel-1';
  await clock.advance(30_000);
  stopping.abort();
  await running;
  const line = (each: string) => ['waits, since another one holds the Lease', { lease: 'certwheel', holder: each }];
  assert.equal(logged, [line('shards-64'), line('certwheel-1')]);
});

test('transitions that a person has set to the most that the API server takes keep no Lease from being taken', () => {
  assert.is(nextTransitions(0), 1);
  assert.is(nextTransitions(2 ** 31 - 1), 2 ** 31 - 1);
});

test.run();

import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { FakeClock, settle } from '../../test/unit/fake-clock.ts';
import { SILENT } from '../../test/unit/own-authority.ts';
import { ApiError } from '../errors.ts';
import { BooksKey } from '../revocation/books-key.ts';
import { BooksKeeper } from './books-key.ts';

test('a key that can not be read at the start is read within seconds, and then all certificates are reconciled', async () => {
  const clock = new FakeClock(new Date('2026-06-01T12:00:00Z'));
  const key = new BooksKey();
  let reads = 0;
  let told = 0;
  const away = new ApiError(503, 'ServiceUnavailable', 'away', { resource: 'secrets' });
  let stored: object | undefined;
  const client = {
    get: async () => {
      if (++reads <= 2) throw away;
      return structuredClone(stored);
    },
    apply: async (_resource: unknown, manifest: { metadata: object }) => {
      stored = { ...manifest, metadata: { ...manifest.metadata, uid: 'u', resourceVersion: `${reads}` } };
      return structuredClone(stored);
    },
  };
  const keeper = new BooksKeeper({
    client: client as never,
    clock,
    log: SILENT,
    ownership: { assert: () => {} },
    key,
    namespace: 'certwheel',
    onKnown: () => told++,
  });
  const stop = new AbortController();
  await keeper.start(stop.signal, true);
  assert.is(key.isKnown, false);
  for (let second = 0; second < 10; second++) {
    await clock.advance(1_000);
    await settle();
  }
  assert.is(key.isKnown, true);
  assert.is(told, 1);
  stop.abort();
});

test('where the namespace is missing nothing is tried again for minutes', async () => {
  const clock = new FakeClock(new Date('2026-06-01T12:00:00Z'));
  let writes = 0;
  const client = {
    get: async () => undefined,
    apply: async () => {
      writes++;
      throw new ApiError(404, 'NotFound', 'no namespace', { resource: 'namespaces' });
    },
  };
  const keeper = new BooksKeeper({
    client: client as never,
    clock,
    log: SILENT,
    ownership: { assert: () => {} },
    key: new BooksKey(),
    namespace: 'certwheel',
    onKnown: () => {},
  });
  const stop = new AbortController();
  await keeper.start(stop.signal, true);
  await clock.advance(60_000);
  await settle();
  assert.is(writes, 1);
  stop.abort();
});

test.run();

/** Fake Secrets and a fake authority: what is left in memory of ClientCertificates that are no more. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { FakeClock } from '../../../test/unit/fake-clock.ts';
import { requestDeps } from '../../../test/unit/next-store.ts';
import { NO_TRUST } from '../../backends/backend.ts';
import { generateKey } from '../../pki/keys.ts';
import { RecentActs } from '../recent.ts';
import { type CertificateDeps, reconcileCertificate } from '../reconcile.ts';
import type { NextKey } from './next-key.ts';
import { PendingRequests } from './pending-requests.ts';
import { UnpublishedCertificates } from './unpublished.ts';

const NOW = new Date('2026-01-01T00:00:00Z');
const { signal } = new AbortController();
const key = await generateKey({ algorithm: 'ECDSA', size: 256 });

const next: NextKey = {
  namespace: 'team',
  name: 'client-next',
  uid: 'n-1',
  resourceVersion: '5',
  certificateName: 'client',
  certificateUid: 'c-1',
  authority: 'CertificateAuthority/ca',
  id: 'c-1-0123456789abcdef',
  wanted: 'w',
  ticket: undefined,
  denied: undefined,
  withheld: undefined,
};

test('a request is known by its Secret and by its id', () => {
  const awaited = new PendingRequests();
  awaited.keep({ next, key });
  assert.is(awaited.of(next)?.key, key);
  for (const other of [{ uid: 'n-2' }, { id: 'c-1-other' }, { namespace: 'elsewhere' }, { certificateName: 'x' }])
    assert.is(awaited.of({ ...next, ...other }), undefined);
});

test('a forged uid does not reach the requests of another namespace', () => {
  const awaited = new PendingRequests();
  awaited.keep({ next, key });
  const forged = { ...next, namespace: 'elsewhere' };
  awaited.keep({ next: forged, key });
  awaited.drop('elsewhere/client');
  assert.is(awaited.of(next)?.key, key);
});

test('nothing is kept of a deleted certificate, and its request is removed even where its Secret was deleted first', async () => {
  const forgotten: unknown[] = [];
  const own = requestDeps(new FakeClock(NOW), undefined, {
    check: async () => {},
    trust: async () => NO_TRUST,
    issue: async () => ({ chain: [] }),
    forget: async (request) => void forgotten.push(request),
  });
  const unpublished = new UnpublishedCertificates();
  let gone = false;
  const deps: Partial<CertificateDeps> = {
    ...own,
    unpublished,
    recent: new RecentActs(),
    find: () => undefined,
    nextKey: () => undefined,
    isGone: async () => gone,
  };
  const run = { signal, releaseWorker: <T>(wait: () => Promise<T>) => wait() };
  own.awaited.keep({ next, key });
  await reconcileCertificate('team/client', deps as CertificateDeps, run);
  assert.is(own.awaited.under('team/client')?.id, next.id, 'the cache was behind');
  gone = true;
  await reconcileCertificate('team/client', deps as CertificateDeps, run);
  assert.is(own.awaited.under('team/client'), undefined);
  const requester = { namespace: 'team', name: 'client', uid: 'c-1' };
  assert.equal(forgotten, [{ id: next.id, ticket: next.id, requester }]);
  await reconcileCertificate('team/client', deps as CertificateDeps, run);
  assert.is(forgotten.length, 1);
});

test.run();

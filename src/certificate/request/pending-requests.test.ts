/** Fake Secrets and a fake authority: what is left in memory of ClientCertificates that are no more. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { FakeClock } from '../../../test/unit/fake-clock.ts';
import { requestDeps } from '../../../test/unit/next-store.ts';
import { NO_TRUST } from '../../backends/backend.ts';
import { generateKey } from '../../pki/keys.ts';
import type { CertificateDeps } from '../deps.ts';
import { RecentActs } from '../recent.ts';
import { reconcileCertificate } from '../reconcile.ts';
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

test('a change of the object that the answer goes into has it polled, at most once a second', () => {
  const awaited = new PendingRequests();
  const answer = { ticket: 'T', pollAfterMs: 60_000, message: 'waits', answeredIn: 'client-csr' };
  const askAtMs = () => awaited.of(next)?.pending?.askAtMs;
  awaited.keep({ next, key, pending: { answer, askedAtMs: 5_000, askAtMs: 65_000 } });
  assert.is(awaited.noteChange('team/client', 5_200), 800);
  assert.is(awaited.noteChange('team/client', 5_300), 700, 'changed twice');
  assert.is(askAtMs(), 6_000);
  awaited.keep({ next, key, pending: { answer, askedAtMs: 5_000, askAtMs: 65_000 } });
  assert.is(awaited.noteChange('team/client', 30_000), 0);
  assert.is(askAtMs(), 30_000);
});

test('it is told in which ConfigMap an answer is awaited, until the request is over', () => {
  const told: (string | undefined)[] = [];
  const awaited = new PendingRequests((certificate, configMap) => told.push(`${certificate}: ${configMap}`));
  const answer = { ticket: 'T', pollAfterMs: 60_000, message: 'waits', answeredIn: 'client-csr' };
  awaited.keep({ next, key, pending: { answer, askedAtMs: 0, askAtMs: 60_000 } });
  awaited.drop('team/client');
  assert.equal(told, ['team/client: client-csr', 'team/client: undefined']);
});

test('a change says nothing where no answer is awaited in an object of the cluster', () => {
  const awaited = new PendingRequests();
  assert.is(awaited.noteChange('team/client', 0), undefined);
  awaited.keep({ next, key });
  assert.is(awaited.noteChange('team/client', 0), undefined);
  const answer = { ticket: 'T', pollAfterMs: 60_000, message: 'waits' };
  awaited.keep({ next, key, pending: { answer, askedAtMs: 0, askAtMs: 60_000 } });
  assert.is(awaited.noteChange('team/client', 1), undefined);
  assert.is(awaited.of(next)?.pending?.askAtMs, 60_000);
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
    deletions: new Map(),
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

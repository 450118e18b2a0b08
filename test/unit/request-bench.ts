/** A fake authority whose answers the test decides: a real one can't be made to crash between any two lines. */
import type { ClientCertificate } from '../../src/api/client-certificate.ts';
import type { Issued, IssueRequest, Pending } from '../../src/backends/backend.ts';
import { issue } from '../../src/certificate/act.ts';
import type { AuthorityView } from '../../src/certificate/authority-view.ts';
import type { Observed } from '../../src/certificate/observed.ts';
import { RecentActs } from '../../src/certificate/recent.ts';
import type { NextKey } from '../../src/certificate/request/next-key.ts';
import { tidy, tidyAfterGone } from '../../src/certificate/request/tidy.ts';
import { UnpublishedCertificates } from '../../src/certificate/request/unpublished.ts';
import { ApiError } from '../../src/errors.ts';
import type { LogFields } from '../../src/log.ts';
import { NOW, root } from '../pki/make.ts';
import { aCertificate, anObserved, RUN } from './builders.ts';
import { FakeClock } from './fake-clock.ts';
import { type NextStore, requestDeps } from './next-store.ts';
import { anOwnAuthority, SILENT } from './own-authority.ts';
import { SecretStore } from './secret-store.ts';

const ca = await root();
export const { signal } = new AbortController();
export const WAIT: Pending = { ticket: 'T', pollAfterMs: 1_000, message: 'waiting for somebody' };

export type Answer = (request: IssueRequest) => Promise<Issued | Pending>;

/** One certificate and its authority. `restart` drops all that was in memory. */
export function bench({ ticket = 'T' } = {}) {
  const clock = new FakeClock(NOW);
  const own = anOwnAuthority([ca], clock);
  const view: AuthorityView = { ...own.view, capabilities: { ...own.view.capabilities, persistKey: true } };
  const store = new SecretStore();
  const asked: IssueRequest[] = [];
  const forgotten: string[] = [];
  const warnings: LogFields[] = [];
  const backend = {
    ...own.backend,
    forget: async ({ id }: { id: string }) => {
      if (one.keepsRequests) throw new ApiError(500, 'InternalError', 'a webhook does not answer');
      forgotten.push(id);
    },
  };
  const fresh = (keys?: NextStore) => ({
    ...requestDeps(clock, keys, backend),
    secrets: store,
    liveSecret: () => store.get(),
    unpublished: new UnpublishedCertificates(),
    requestedBy: () => 'unverified',
    assertServed: async () => undefined,
    recent: new RecentActs(),
    log: { ...SILENT, warn: (_message: string, fields: LogFields = {}) => void warnings.push(fields) },
    nextKey: () => deps.nextKeys.view(),
    isGone: async () => true,
  });
  let deps: ReturnType<typeof fresh> = fresh();
  const wait: Answer = async ({ id }) => ({ ...WAIT, ticket: ticket === 'id' ? id : ticket });
  const sign: Answer = (request) => own.backend.issue(request, signal);
  const one = {
    clock,
    view,
    asked,
    forgotten,
    warnings,
    /** Whether the authority fails to remove requests. */
    keepsRequests: false,
    wait,
    sign,
    get keys() {
      return deps.nextKeys;
    },
    secret: () => store.view(),
    left: () => deps.awaited.left.size,
    tidy: (next?: NextKey) => tidy('team/client', next, deps, RUN),
    tidyAfterGone: () => tidyAfterGone('team/client', undefined, deps, RUN),
    restart: () => {
      deps = fresh(deps.nextKeys);
    },
    seen: (resource: ClientCertificate, authority = view): Observed =>
      anObserved(resource).build().with({ authority, secret: store.view(), next: deps.nextKeys.view() }),
    look: (
      answer: Answer,
      resource = aCertificate().build(),
      authority = view,
      seen: Observed = one.seen(resource, authority),
    ) =>
      issue(
        seen,
        authority,
        async (request) => {
          asked.push(request);
          return answer(request);
        },
        deps,
        RUN,
      ),
  };
  return one;
}

export const fails =
  (error: Error): Answer =>
  async () => {
    throw error;
  };

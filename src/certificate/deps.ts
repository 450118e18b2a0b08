import type { Backend } from '../backends/backend.ts';
import type { SlowWork } from '../queue/slow-work.ts';
import type { ActDeps } from './act.ts';
import type { AssertByFallback } from './fallback.ts';
import type { Turnstiles } from './gate.ts';
import type { Observed } from './observed.ts';
import type { RenewalSuggestions } from './renewal-suggestions.ts';
import type { TidyDeps } from './request/tidy.ts';
import type { RevocationDeps } from './revocation/step.ts';
import type { RecordDeps } from './status/record-issued.ts';
import type { ReportDeps } from './status/report.ts';

/** What the reconcile of ClientCertificates reaches the world by. */
export interface CertificateDeps extends ActDeps, AssertByFallback, TidyDeps, RecordDeps, ReportDeps, RevocationDeps {
  observe(resource: Observed['resource']): Promise<Observed>;
  /** Proves what a Secret holds, in the turn of this certificate, so that no look at an authority has to; see ProofsOwed. */
  proveSecret(key: string | undefined): void;
  /** The authority behind it, and what keeps that from being asked too often; undefined where it isn't there. */
  runtime(resource: Observed['resource']): ({ readonly backend: Backend } & Turnstiles) | undefined;
  readonly suggestions: Pick<RenewalSuggestions, 'look'>;
  /** Where keys and signatures wait that take long to make; see gateOf. */
  readonly slowWork: SlowWork;
  readonly metrics: { failed(authorityType: string, code: string): void } & RecordDeps['metrics'] &
    ReportDeps['metrics'];
}

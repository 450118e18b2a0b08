import type { CertificateAuthority } from '../api/certificate-authority.ts';
import type { Clock } from '../clock.ts';
import type { Consumer } from '../rotation/deps.ts';
import { type Demand, demandOn } from './demand.ts';
import { whatIsNew } from './demand-status.ts';
import type { AuthorityDeps } from './deps.ts';

/** So long after the first change of what its certificates will need, an authority's demand is counted anew. */
const COUNT_MS = 10_000;
/** Each certificate that comes or goes changes the figures; status follows so late, unless there is something to warn of. */
const FIGURES_MS = 5 * 60_000;

interface ForecastDeps {
  readonly find: AuthorityDeps['find'];
  readonly registry: Pick<AuthorityDeps['registry'], 'get'>;
  consumers(resource: CertificateAuthority): readonly Consumer[];
  showDemand(resource: CertificateAuthority, demand: Demand): void;
  /** Has the authority reconciled at that moment. */
  wake(authority: string, at: Date): void;
  readonly clock: Clock;
}

/**
 * Counts the demand without a reconcile of the authority, which may cost requests to it and to the API server. A reconcile
 * is asked for only where there is news.
 */
export class Forecasts {
  readonly #deps: ForecastDeps;
  readonly #waiting = new Set<string>();

  constructor(deps: ForecastDeps) {
    this.#deps = deps;
  }

  /** What the certificates of this authority will need has changed. */
  note(authority: string): void {
    // The first reconcile of an authority counts by itself.
    if (this.#deps.registry.get(authority) === undefined || this.#waiting.has(authority)) return;
    this.#waiting.add(authority);
    setTimeout(() => {
      this.#waiting.delete(authority);
      this.#count(authority);
    }, COUNT_MS).unref();
  }

  #count(authority: string): void {
    const { clock, registry, find, consumers, showDemand, wake } = this.#deps;
    const runtime = registry.get(authority);
    const stored = find(authority);
    // One that is in trouble is reconciled soon anyway, and isn't to be asked more often than its probe does.
    if (runtime?.view === undefined || runtime.view.trouble !== undefined || stored === undefined) return;
    const now = clock.now();
    const demand = demandOn(runtime, consumers(runtime.resource), now);
    showDemand(runtime.resource, demand);
    const news = whatIsNew(demand, stored.status);
    const waitMs = news === 'warning' ? 0 : FIGURES_MS;
    if (news !== undefined) wake(authority, new Date(now.getTime() + waitMs));
  }
}

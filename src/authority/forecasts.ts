import { allowsNamespace, authorityKey, type CertificateAuthority } from '../api/certificate-authority.ts';
import { secretKeyOf } from '../certificate/observe.ts';
import type { WorkQueue } from '../queue/work-queue.ts';
import type { Cluster } from '../wiring/cluster.ts';
import type { Services } from '../wiring/services.ts';
import { type Consumer, demandOn } from './demand.ts';
import { whatIsNew } from './demand-status.ts';

/** So long after the first change of what its certificates will need, an authority's demand is counted anew. */
const COUNT_MS = 10_000;
/** Each certificate that comes or goes changes the figures; status follows so late, unless there is something to warn of. */
const FIGURES_MS = 5 * 60_000;

/**
 * Counts without a look at the authority, which may cost requests to it and to the API server; a look is asked for only
 * where there is something to tell.
 */
export class Forecasts {
  readonly #services: Pick<Services, 'clock' | 'cluster' | 'metrics' | 'registry'>;
  readonly #authorities: WorkQueue;
  readonly #waiting = new Set<string>();

  constructor(services: Pick<Services, 'clock' | 'cluster' | 'metrics' | 'registry'>, authorities: WorkQueue) {
    this.#services = services;
    this.#authorities = authorities;
  }

  /** What the certificates of this authority will need has changed. */
  note(authority: string): void {
    // Nobody has looked at it yet: the first look counts.
    if (this.#services.registry.get(authority) === undefined || this.#waiting.has(authority)) return;
    this.#waiting.add(authority);
    setTimeout(() => {
      this.#waiting.delete(authority);
      this.#count(authority);
    }, COUNT_MS).unref();
  }

  #count(authority: string): void {
    const { clock, cluster, metrics, registry } = this.#services;
    const runtime = registry.get(authority);
    const stored = cluster.authority(authority);
    // One that is in trouble is looked at soon anyway, and isn't to be asked more often than its probe does.
    if (runtime?.view === undefined || runtime.view.trouble !== undefined || stored === undefined) return;
    const now = clock.now();
    const demand = demandOn(runtime, consumersOf(runtime.resource, cluster), now);
    metrics.showDemand(runtime.resource, demand);
    const news = whatIsNew(demand, stored.status);
    const waitMs = news === 'warning' ? 0 : FIGURES_MS;
    if (news !== undefined) this.#authorities.add(authority, new Date(now.getTime() + waitMs));
  }
}

/** The certificates that an authority serves; who may merely name it asks nothing of it. */
export function consumersOf(resource: CertificateAuthority, cluster: Cluster): Consumer[] {
  const serves = (namespace: string) =>
    allowsNamespace(resource.allowedNamespaces, namespace, cluster.namespaces.get(namespace)) === true;
  return cluster
    .membersOf(authorityKey(resource))
    .filter(({ namespace }) => serves(namespace))
    .map((each) => ({ resource: each, secret: cluster.secret(secretKeyOf(each)) }));
}

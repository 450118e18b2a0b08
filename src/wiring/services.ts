import type { CertificateAuthority } from '../api/certificate-authority.ts';
import { apiVersion, type Resource } from '../api/names.ts';
import type { RawObject } from '../api/parse.ts';
import type { Audit } from '../audit/event.ts';
import type { Registry } from '../authority/registry.ts';
import type { BackendDefinition } from '../backends/backend.ts';
import type { EventText } from '../certificate/status/events.ts';
import type { Clock } from '../clock.ts';
import type { Config } from '../config.ts';
import type { KubeClient } from '../kube/client.ts';
import type { EventRecorder } from '../kube/events.ts';
import type { References } from '../kube/references.ts';
import type { Logger } from '../log.ts';
import type { Metrics } from '../metrics/metrics.ts';
import type { Ownership, Sharding } from '../ownership.ts';
import type { BooksKey } from '../revocation/books-key.ts';
import type { Cluster } from './cluster.ts';

/** What both controllers are made of. */
export interface Services {
  readonly config: Config;
  readonly clock: Clock;
  readonly log: Logger;
  readonly client: KubeClient;
  readonly cluster: Cluster;
  readonly references: References;
  readonly registry: Registry;
  /** The kinds of authorities that there are. */
  readonly definitions: readonly BackendDefinition<never>[];
  readonly events: EventRecorder;
  readonly metrics: Metrics;
  readonly ownership: Ownership;
  readonly sharding: Sharding;
  /** Undefined where no audit log is kept. */
  readonly audit: Audit | undefined;
  /** Proves what the controller wrote into ledgers. */
  readonly booksKey: BooksKey;
}

/** So many at once, then one every two seconds: what isn't ready any more is said to be so within five. */
export const STATUS_WRITES = { capacity: 20, refillMs: 2_000 };

interface EventSubject {
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
}

export function recordEvent(
  events: EventRecorder,
  resource: Resource,
  { namespace, name, uid }: EventSubject,
  event: EventText,
): void {
  events.record({
    ...event,
    regarding: { apiVersion: apiVersion(resource), kind: resource.kind, namespace, name, uid },
  });
}

interface Versioned extends EventSubject {
  readonly resourceVersion: string;
}

/**
 * Writes a status on the condition that the object is still the one that was observed. Conditions of other writers are
 * left out: an apply owns its fields.
 */
export function writeStatus<Status extends { conditions?: { type: string }[] }>(
  client: KubeClient,
  resource: Resource,
  { namespace, name, resourceVersion }: Versioned,
  status: Status,
  ownConditions: readonly string[],
): Promise<RawObject> {
  const metadata = { ...(resource.namespaced ? { namespace } : {}), name, resourceVersion };
  const conditions = status.conditions?.filter(({ type }) => ownConditions.includes(type));
  return client.apply(resource, { metadata, status: { ...status, conditions } }, { subresource: 'status' });
}

/** The namespace in which an authority's references resolve and its CA generations are kept. */
export function namespaceOf(resource: CertificateAuthority, { config }: Services): string {
  return resource.kind === 'CertificateAuthority' ? resource.namespace : config.controllerNamespace;
}

/** The part of what an authority allows that this replica may use: what serves one namespace has one replica. Undefined for all. */
export function shareOf(
  { kind }: Pick<CertificateAuthority, 'kind'>,
  { config, sharding }: Pick<Services, 'config' | 'sharding'>,
): (() => number) | undefined {
  return kind === 'ClusterCertificateAuthority' && config.shards > 0 ? sharding.share : undefined;
}

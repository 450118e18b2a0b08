import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import { authorityKey } from './api/certificate-authority.ts';
import { EVENTS, LEASES, SUBJECT_ACCESS_REVIEWS, TOKEN_REVIEWS } from './api/names.ts';
import { Registry } from './authority/registry.ts';
import type { BackendDefinition } from './backends/backend.ts';
import { BACKENDS } from './backends/index.ts';
import type { Clock } from './clock.ts';
import type { Config } from './config.ts';
import { KubeconfigConnection } from './kube/auth.ts';
import { KubeClient } from './kube/client.ts';
import { EventRecorder } from './kube/events.ts';
import { References } from './kube/references.ts';
import type { Logger } from './log.ts';
import { releaseMemoryWhenQuiet } from './memory.ts';
import { createMetrics, type Metrics } from './metrics/metrics.ts';
import { BooksKey } from './revocation/books-key.ts';
import { KnownCrls } from './revocation/crl/known-crls.ts';
import type { Generation } from './rotation/generation.ts';
import { StartError } from './start-error.ts';
import { messageOf } from './thrown.ts';
import { TargetResults } from './trust-targets/results.ts';
import { activityOf } from './wiring/activity.ts';
import { wireAuthorities } from './wiring/authorities.ts';
import { BooksKeeper } from './wiring/books-key.ts';
import { wakeCertificate, wakeMembers, wireCertificates } from './wiring/certificates.ts';
import { Cluster } from './wiring/cluster.ts';
import { wireLedgers } from './wiring/ledgers.ts';
import { servePages } from './wiring/pages.ts';
import { preflight } from './wiring/preflight.ts';
import { wireProbes } from './wiring/probes.ts';
import { wireRevocations } from './wiring/revocations.ts';
import { type Services, shareOf } from './wiring/services.ts';
import { wireShardChanges } from './wiring/shard-changes.ts';
import { wireTrustTargets } from './wiring/trust-targets.ts';
import { wireWakes } from './wiring/wakes.ts';

/** A graceful stop gives the runs under way this long. */
const STOP_GRACE_MS = 20_000;
/** And the events that wait to be written this long. */
const EVENTS_GRACE_MS = 2_000;

/**
 * What a replica that may not act may write: Leases, events that wait when it is given back, and reviews of tokens,
 * since a standby serves metrics too.
 */
const WRITTEN_BY_ALL: ReadonlySet<string> = new Set(
  [LEASES, EVENTS, TOKEN_REVIEWS, SUBJECT_ACCESS_REVIEWS].map(({ plural }) => plural),
);

export interface App {
  readonly metricsPort: number;
  readonly healthPort: number;
  readonly metrics: Metrics;
  /** Resolves when the caches are filled and, if this replica leads, its workers run. */
  readonly ready: Promise<void>;
  /** Ends what runs, and gives back the Lease. Never throws. */
  stop(): Promise<void>;
}

/**
 * Puts the pieces together and starts them: the only place where that happens. Throws StartError for what the operator
 * has to put right. `onLost` is called when another replica leads: there is nothing left to do but to exit.
 */
export async function startApp(
  config: Config,
  clock: Clock,
  log: Logger,
  onLost: () => void,
  definitions: readonly BackendDefinition<never>[] = BACKENDS,
): Promise<App> {
  const metrics = createMetrics(
    definitions.map(({ type }) => type),
    clock,
    config.certificateSeries,
  );
  const connections = connect(config, clock, log);
  const client = new KubeClient({
    connections,
    clock,
    onRequest: metrics.requested,
    mayWrite: (resource) => WRITTEN_BY_ALL.has(resource) || activity.isActive,
  });
  const stopping = new AbortController();
  const cluster = new Cluster(config, { client, clock, logger: log });
  const instance = `${hostname()}-${randomUUID().slice(0, 8)}`;
  const activity = activityOf({ config, client, clock, log, instance });
  const { sharding } = activity;
  const audit =
    config.auditLog === undefined
      ? undefined
      : (await import('./audit/open.ts')).openAudit(config.auditLog, {
          ...{ client, clock, log, metrics: metrics.audit },
          controllerNamespace: config.controllerNamespace,
        });
  const services: Services = {
    config,
    clock,
    log,
    client,
    cluster,
    metrics,
    definitions,
    references: new References({ client, clock, logger: log }),
    registry: new Registry((resource) => shareOf(resource, { config, sharding })),
    audit,
    booksKey: new BooksKey(),
    events: new EventRecorder({ client, clock, logger: log, instance }),
    sharding,
    ownership: sharding,
  };
  const ledgers = wireLedgers(services);
  const knownCrls = new KnownCrls((resource) => {
    const key = authorityKey(resource);
    targets.wake(key);
    authorities.queue.add(key);
  });
  const revocations = wireRevocations(services, knownCrls, {
    authority: (key, at) => authorities.queue.add(key, at),
    certificate: (key) => certificates.queue.add(key),
    members: (authority) => {
      for (const each of cluster.withPrimaries(authority)) wakeMembers(certificates.queue, services, each);
    },
  });
  const books = new BooksKeeper({
    ...services,
    // Two replicas that create it at once agree on one.
    ownership: { assert: sharding.assertActive },
    key: services.booksKey,
    namespace: config.controllerNamespace,
    onKnown: () => {
      for (const key of cluster.certificates.keys()) certificates.queue.add(key);
    },
  });
  const targetResults = new TargetResults();
  const probing = wireProbes(services, (authority) => authorities.queue.add(authority));
  const trust = {
    status: targetResults.status.bind(targetResults),
    verifiers: probing.probes.statusOf.bind(probing.probes),
    crlCondition: targetResults.crlCondition.bind(targetResults),
    crlProofs: (key: string, generation: Generation) => targets.crlProofs(key, generation),
    targetProofs: (key: string, fingerprint: string) => targets.proofs(key, fingerprint),
    proofs: (key: string, fingerprint: string) => [
      ...targets.proofs(key, fingerprint),
      ...probing.probes.proofs(key, fingerprint),
    ],
  };
  const { controller: authorities, leave: leaveAuthority } = wireAuthorities(
    services,
    { ledgers, revocations },
    trust,
    {
      members: (authority) => {
        wakeMembers(certificates.queue, services, authority);
        wakePrimaries(authority);
        targets.wake(authority);
        probing.wake(authority);
      },
      released: (keys) => {
        for (const key of keys) certificates.queue.add(key);
      },
      certificate: (key) => wakeCertificate(certificates.queue, services, key),
    },
  );
  // What a fallback is trusted for, and whether it can issue, is the affair of the authorities that name it.
  const wakePrimaries = (fallback: string) => {
    for (const key of cluster.primariesOf(fallback).map(authorityKey)) {
      authorities.queue.add(key);
      if (services.registry.get(key)?.view?.trouble !== undefined) wakeMembers(certificates.queue, services, key);
    }
  };
  const targets = wireTrustTargets(services, targetResults, knownCrls, (key, at) => {
    // The CA rotation of its fallback waits for its targets too.
    for (const each of [key, cluster.fallbackOf(key)]) if (each !== undefined) authorities.queue.add(each, at);
  });
  const { controller: certificates, forget, leave } = wireCertificates(services, revocations);
  const controllers = {
    authorities,
    'trust-targets': targets.controller,
    certificates,
    probes: probing.controller,
  };
  wireWakes({ ...services, ledgers, certificates: certificates.queue, authorities: authorities.queue, onGone: forget });
  const shardChanges = wireShardChanges(services, {
    ...{ controllers, revocations, targets, probing, leaveAuthority, signal: stopping.signal },
    leaveCertificate: leave,
  });
  metrics.ask({
    queueDepth: (name) => controllers[name as keyof typeof controllers].queue.depth(),
    watches: () => [...cluster.stats(), ...targets.stats(), ...activity.stats()],
    monotonicMs: () => clock.monotonicMs(),
    leading: () => activity.isActive,
    shards: () => sharding.ranges(),
  });

  const isReady = () => cluster.isSynced && !stopping.signal.aborted;
  const pages = await servePages({ config, clock, log, client, metrics, isReady });
  let unreadable: ReadonlySet<string>;
  try {
    unreadable = await preflight(client, config, log, clock);
    await activity.preflight();
  } catch (error) {
    await pages.close();
    await client.close();
    throw error;
  }
  cluster.start(stopping.signal, unreadable);
  targets.start(stopping.signal);
  void releaseMemoryWhenQuiet(clock, stopping.signal);

  const begin = async () => {
    if (!activity.isAlone) await books.lead();
    if (stopping.signal.aborted) return;
    audit?.start();
    for (const each of Object.values(controllers)) each.start();
  };
  const ready = Promise.all([cluster.synced(), books.start(stopping.signal, activity.isAlone)]).then(async () => {
    if (stopping.signal.aborted) return;
    log.info('in sync', {
      certificates: cluster.certificates.size,
      authorities: cluster.authorities.size + cluster.clusterAuthorities.size,
    });
    if (activity.isAlone) await begin();
    else activity.start(stopping.signal, { onStarted: () => void begin(), onLost, ...shardChanges });
  });

  const stop = async () => {
    log.info('stopping');
    activity.close();
    const { probes, ...writing } = controllers;
    // A round of questions writes nothing that would be lost.
    await Promise.all([probes.stop(0), ...Object.values(writing).map((each) => each.stop(STOP_GRACE_MS))]);
    stopping.abort(new Error('shutting down'));
    // Before the Leases are given back: without them nothing more may be written.
    await audit?.close();
    // Events are the least of what matters: the next leader doesn't wait for them.
    await Promise.all([activity.release(), services.events.close(EVENTS_GRACE_MS)]);
    services.registry.close();
    services.references.close();
    await pages.close();
    await client.close();
    log.info('stopped');
  };
  return { metricsPort: pages.metricsPort, healthPort: pages.healthPort, metrics, ready, stop };
}

function connect(config: Config, clock: Clock, logger: Logger): KubeconfigConnection {
  try {
    return new KubeconfigConnection({ kubeconfig: config.kubeconfig, clock, logger });
  } catch (error) {
    throw new StartError(messageOf(error));
  }
}

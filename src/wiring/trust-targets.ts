import { isDeepStrictEqual } from 'node:util';
import {
  authorityKey,
  authorityResource,
  type CertificateAuthority,
  isBrokenAuthority,
} from '../api/certificate-authority.ts';
import { isBroken } from '../api/client-certificate.ts';
import { NAMESPACES, TRUST_TARGET_LABEL } from '../api/names.ts';
import { keyOf, parseMeta } from '../api/parse.ts';
import { isInCluster, OBJECT_KINDS, type ObjectKind } from '../api/trust-targets.ts';
import { clientsOf } from '../authority/consumers.ts';
import { pauseMs } from '../authority/pace.ts';
import { referredAuthority } from '../certificate/observe.ts';
import { purposeOf, reservationOf } from '../certificate/secret/protection.ts';
import { oneNamed } from '../kube/one-named.ts';
import type { WatchStats } from '../kube/watch-record.ts';
import { Controller } from '../queue/controller.ts';
import type { KnownCrls } from '../revocation/crl/known-crls.ts';
import { type Generation, isRotating } from '../rotation/generation.ts';
import type { TrustProof } from '../rotation/trust-proof.ts';
import { crlProofs } from '../trust-targets/crl-proofs.ts';
import type { Delivery } from '../trust-targets/delivery.ts';
import { placeOf } from '../trust-targets/desired.ts';
import { KINDS } from '../trust-targets/kinds.ts';
import { targetProofs } from '../trust-targets/proofs.ts';
import { forgetTargets, reconcileTargets, type TargetsDeps } from '../trust-targets/reconcile.ts';
import type { TargetResults } from '../trust-targets/results.ts';
import type { Survey } from '../trust-targets/survey.ts';
import type { TargetAccess } from '../trust-targets/write.ts';
import { cloudflareTargets } from './cloudflare-targets.ts';
import { recordEvent, type Services } from './services.ts';
import { TargetCaches } from './target-caches.ts';
import { TargetCrlSources } from './target-crls.ts';
import { TrustSources } from './trust-sources.ts';

/** One authority may have a thousand objects to write. */
const WORKERS = 2;
/** Changes that come together, as those of a thousand namespaces, are one look. */
const TOGETHER_MS = 100;
/** A worker waits for it. */
const LONGEST_READ_MS = 5_000;
/** So long after the first change of what is known, an authority reports it: a thousand objects are written one by one. */
const REPORT_MS = 500;

export interface TrustTargets {
  readonly controller: Controller;
  readonly results: TargetResults;
  start(signal: AbortSignal): void;
  stats(): Iterable<readonly [string, WatchStats]>;
  /** What verifiers must trust, or the spec of the authority, has changed. */
  wake(authority: string): void;
  /** Another replica writes the targets of the authority. */
  leave(authority: string): void;
  /** See targetProofs. */
  proofs(authority: string, fingerprint: string): readonly TrustProof[];
  /** See crlProofs. */
  crlProofs(authority: string, generation: Generation): readonly TrustProof[];
}

/** The controller of trust targets; `report` has an authority write its status. */
export function wireTrustTargets(
  services: Services,
  results: TargetResults,
  knownCrls: KnownCrls,
  report: (authority: string, at: Date) => void,
): TrustTargets {
  const { audit, client, clock, cluster, config, events, log, metrics, ownership, registry, sharding } = services;
  const caches = new TargetCaches(config, { client, clock, logger: log });
  const isWhole = config.namespaces === undefined;
  const delivery: Delivery = {
    kubeletSyncMs: config.kubeletSyncMs,
    seesPods: config.trustTargets.includes('pods'),
    unknownPods: (namespace) => caches.unknownPods(namespace),
    podsUsing: (id) => caches.pods.byIndex('use', id),
  };
  const deps: TargetsDeps = {
    clock,
    log,
    audit,
    ownership,
    isOurs: sharding.owns,
    results,
    clients: (resource) => clientsOf(resource, cluster),
    sources: new TrustSources(services, (key) => wake(key)),
    remote: cloudflareTargets(services, (key) => wake(key)),
    crls: new TargetCrlSources(services, knownCrls, (key) => wake(key)),
    metrics: metrics.targets,
    find: (key) => cluster.authority(key),
    trustOf: (resource) => {
      const trust = registry.current(resource)?.view?.trust;
      return trust === undefined || trust.anchors.size === 0 ? undefined : trust;
    },
    cas: (resource) => {
      const runtime = registry.current(resource);
      const ofGenerations = runtime?.generations.flatMap(({ path }) => path.chain) ?? [];
      return [...ofGenerations, ...(runtime?.view?.intermediates ?? [])];
    },
    places: {
      isWhole,
      get names() {
        return config.namespaces ?? [...cluster.namespaces.keys()];
      },
      labels: (namespace) => cluster.namespaces.get(namespace),
    },
    access: targetAccess(services, caches),
    delivery,
    view: (object) => caches.of[object.kind].get(placeOf(object)),
    labelled: (key) => OBJECT_KINDS.flatMap((kind) => caches.of[kind].byIndex('authority', key)),
    unknown: (kind, namespace) => caches.unknown(kind, namespace),
    wakeAuthority: (key) => reportSoon(key),
    recordEvent: (resource, event) => {
      // An event without a namespace is written into `default`, where Roles give no right.
      if (resource.namespace !== '' || isWhole) recordEvent(events, authorityResource(resource.kind), resource, event);
    },
  };
  const reportSoon = (key: string) => {
    const certificates = registry.get(key)?.certificates ?? 0;
    report(key, new Date(clock.now().getTime() + pauseMs(certificates, REPORT_MS)));
  };
  const controller = new Controller({
    name: 'trust-targets',
    workers: WORKERS,
    accepts: (key) => sharding.owns(key) || isAwaited(key),
    reconcile: (key, run) => reconcileTargets(key, deps, run),
    clock,
    log,
    metrics,
  });
  /** Another replica has the authority, and this one has its fallback. */
  const isAwaited = (key: string) => {
    const fallback = sharding.follows(key) ? cluster.fallbackOf(key) : undefined;
    return fallback !== undefined && sharding.owns(fallback);
  };
  const wake = (key: string, afterMs = pauseMs(objectsOf(results.survey(key)), TOGETHER_MS)) =>
    controller.queue.add(key, new Date(clock.now().getTime() + afterMs));
  const withTargets = function* (): Generator<CertificateAuthority> {
    for (const cache of [cluster.clusterAuthorities, cluster.authorities])
      for (const each of cache.values()) if (!isBrokenAuthority(each) && each.trustTargets.length > 0) yield each;
  };
  wireWakes();
  return {
    controller,
    results,
    wake,
    leave: (key) => forgetTargets(key, deps),
    start: (signal) =>
      caches.start(signal, () => {
        for (const each of withTargets()) {
          wake(authorityKey(each));
          // What is delivered is told by Pods, which no survey shows.
          reportSoon(authorityKey(each));
        }
        for (const kind of OBJECT_KINDS)
          for (const { authority } of caches.of[kind].values()) if (authority !== '') wake(authority);
      }),
    stats: () => caches.stats(),
    proofs: (key, fingerprint) => {
      const resource = cluster.authority(key);
      if (resource === undefined || isBrokenAuthority(resource)) return [];
      return targetProofs(resource, results.survey(key), fingerprint, delivery, clock.now());
    },
    crlProofs: (key, generation) => {
      const resource = cluster.authority(key);
      if (resource === undefined || isBrokenAuthority(resource)) return [];
      const active = registry.get(key)?.generations.filter(({ state }) => state === 'Active') ?? [];
      return crlProofs(resource, generation, {
        state: knownCrls.stateOf(resource.uid),
        survey: results.survey(key),
        signing: active.map(({ path: { chain } }) => chain),
      });
    },
  };

  /** The authorities that write the object that a Pod uses, by the id of its use. */
  function usersOf(id: string): string[] {
    const [kind = '', ...place] = id.split('/');
    if (kind === 'Signer')
      return [...caches.of.ClusterTrustBundle.values()]
        .filter(({ name }) => name.startsWith(`${place.join(':')}:`))
        .map(({ authority }) => authority);
    const view = OBJECT_KINDS.some((each) => each === kind)
      ? caches.of[kind as ObjectKind].get(place.join('/'))
      : undefined;
    return view === undefined || view.authority === '' ? [] : [view.authority];
  }

  /** Whether that authority, or its fallback, has a CA that may wait for its trust. */
  function mayWaitForTrust(authority: string): boolean {
    const both = [authority, cluster.fallbackOf(authority) ?? authority];
    return both.some((key) => isRotating(registry.get(key)?.generations ?? []));
  }

  /** Such a look goes through all certificates of the authority. */
  function wakeForNames(authority: string): void {
    wake(authority, pauseMs(registry.get(authority)?.certificates ?? 0, TOGETHER_MS));
  }

  function wireWakes(): void {
    for (const cache of [cluster.authorities, cluster.clusterAuthorities])
      cache.onChange((_key, before, after) => {
        const resource = after ?? before;
        if (resource !== undefined) wake(authorityKey(resource));
      });
    cluster.namespaces.onChange((_namespace, before, after) => {
      if (isDeepStrictEqual(before, after)) return;
      for (const each of withTargets()) if (each.kind === 'ClusterCertificateAuthority') wake(authorityKey(each));
    });
    cluster.certificates.onChange((_key, before, after) => {
      // What the permitted names of a source are compared with; a rotation changes the status alone.
      if (before?.uid === after?.uid && before?.generation === after?.generation) return;
      for (const each of [before, after]) {
        if (each === undefined || isBroken(each)) continue;
        const authority = cluster.authority(referredAuthority(each));
        if (authority === undefined || isBrokenAuthority(authority)) continue;
        if (authority.trustSources.some(({ permittedNames }) => permittedNames !== undefined))
          wakeForNames(authorityKey(authority));
      }
    });
    caches.pods.onChange((_key, before, after) => {
      // The kubelet and others write the status of a Pod again and again.
      if (isDeepStrictEqual(before, after)) return;
      for (const each of [before, after])
        for (const { id } of each?.fixed ?? [])
          for (const key of usersOf(id)) {
            wake(key);
            // No survey shows what is delivered, and nothing but a CA rotation waits for that.
            if (mayWaitForTrust(key)) reportSoon(key);
          }
    });
    for (const kind of OBJECT_KINDS)
      caches.of[kind].onChange((_key, before, after) => {
        for (const each of [before, after]) if (each !== undefined && each.authority !== '') wake(each.authority);
      });
  }
}

function objectsOf(survey: Survey | undefined): number {
  return survey?.targets.reduce((sum, { objects }) => sum + objects.length, 0) ?? 0;
}

function targetAccess({ client, cluster }: Services, caches: TargetCaches): TargetAccess {
  const inside = (kind: ObjectKind, namespace: string) => (KINDS[kind].resource.namespaced ? namespace : undefined);
  return {
    get: ({ kind, namespace, name }) => client.get(KINDS[kind].resource, inside(kind, namespace), name),
    apply: (kind, manifest) => client.apply(KINDS[kind].resource, manifest),
    remove: async (view) => {
      // Only what is labelled is surplus, and labels are on objects of the cluster.
      if (!isInCluster(view)) return;
      const { kind, namespace, name, uid, resourceVersion } = view;
      await client.delete(KINDS[kind].resource, inside(kind, namespace), name, { uid, resourceVersion });
      caches.of[kind].remove(namespace, { metadata: { namespace, name, resourceVersion } });
    },
    view: (kind, object) => caches.viewers[kind](object),
    put: (kind, object, replaces) => {
      // Without its label the watch would never say that it is gone.
      if (object.metadata?.labels?.[TRUST_TARGET_LABEL] !== undefined) caches.of[kind].put(object, replaces);
    },
    isEnding: async (namespace, signal) => {
      const { items } = await client.list(NAMESPACES, { ...oneNamed(namespace), signal, timeoutMs: LONGEST_READ_MS });
      return items.every(({ metadata }) => metadata?.deletionTimestamp !== undefined);
    },
    purposeOf: (secret) => purposeOf(secret, cluster.usesOf(keyOf(parseMeta(secret)))),
    reservationOf: (object) =>
      reservationOf(
        object.name,
        (name) => cluster.certificates.get(keyOf({ namespace: object.namespace, name })) !== undefined,
      ),
  };
}

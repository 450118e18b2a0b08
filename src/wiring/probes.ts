import type { AnyCertificateAuthority } from '../api/certificate-authority.ts';
import { Probes, probeKeysOf } from '../probes/probes.ts';
import { Controller } from '../queue/controller.ts';
import { SlowWork } from '../queue/slow-work.ts';
import { namespaceOf, type Services } from './services.ts';

/** Rounds wait for other machines and hold no worker meanwhile. */
const WORKERS = 4;
/** Signatures that take long, at the same time. */
const SIGNATURES_AT_ONCE = 1;

export interface WiredProbes {
  readonly controller: Controller;
  readonly probes: Probes;
  /** Has the verifiers of an authority asked at once. */
  wake(authority: string): void;
  /** Another replica asks the verifiers of an authority. */
  leave(resource: AnyCertificateAuthority): void;
}

/** The controller that asks verifiers; `wakeAuthority` has an authority reconciled. */
export function wireProbes(services: Services, wakeAuthority: (authority: string) => void): WiredProbes {
  const { audit, client, clock, cluster, config, log, metrics, ownership, registry, sharding } = services;
  const slowWork = new SlowWork(SIGNATURES_AT_ONCE, clock, () => false);
  const probes = new Probes({
    client,
    clock,
    config,
    log,
    audit,
    ownership,
    registry,
    find: (authority) => cluster.authority(authority),
    namespaceOf: (resource) => namespaceOf(resource, services),
    keysIn: (namespace) =>
      [...cluster.authorities.values()]
        .filter((each) => each.namespace === namespace)
        .sort((one, other) => (one.name < other.name ? -1 : 1))
        .flatMap(probeKeysOf),
    aside: (authority, signal) => (work) => slowWork.run(authority, undefined, work, signal),
    wakeAuthority,
    metrics: metrics.probes,
  });
  const controller = new Controller({
    name: 'probes',
    workers: WORKERS,
    accepts: sharding.owns,
    reconcile: (key, run) => probes.reconcile(key, run),
    clock,
    log,
    metrics,
  });
  for (const cache of [cluster.authorities, cluster.clusterAuthorities])
    cache.onChange((_key, before, after) => {
      if (before?.uid === after?.uid && before?.generation === after?.generation) return;
      for (const each of [before, after])
        for (const key of each === undefined ? [] : probeKeysOf(each)) controller.queue.add(key);
    });
  return {
    controller,
    probes,
    leave: (resource) => {
      for (const key of probeKeysOf(resource)) probes.leave(key);
    },
    wake: (authority) => {
      const resource = cluster.authority(authority);
      for (const key of resource === undefined ? [] : probeKeysOf(resource)) controller.queue.add(key);
    },
  };
}

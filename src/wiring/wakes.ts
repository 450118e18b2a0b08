import { isDeepStrictEqual } from 'node:util';
import { authorityKey } from '../api/certificate-authority.ts';
import { isBroken, isRefused } from '../api/client-certificate.ts';
import { keyOf } from '../api/parse.ts';
import { consumersOf } from '../authority/consumers.ts';
import { Forecasts } from '../authority/forecasts.ts';
import type { Ledgers } from '../authority/ledgers.ts';
import { pauseMs } from '../authority/pace.ts';
import { referredAuthority } from '../certificate/observe.ts';
import { nextName } from '../certificate/request/next-key.ts';
import { authorityOf } from '../certificate/secret/record.ts';
import type { WorkQueue } from '../queue/work-queue.ts';
import { isRotating } from '../rotation/generation.ts';
import { SecretWaiters } from './secret-waiters.ts';
import type { Services } from './services.ts';

interface WakeDeps extends Pick<Services, 'clock' | 'cluster' | 'metrics' | 'registry' | 'sharding'> {
  readonly certificates: WorkQueue;
  readonly authorities: WorkQueue;
  readonly ledgers: Pick<Ledgers, 'secretChanged'>;
  /** A ClientCertificate is no more. */
  readonly onGone: (key: string) => void;
}

/** A CA rotation counts its certificates at most this often, see pauseMs, however many of them change. */
const RECOUNT_MS = 500;

/** Which change wakes which keys: nothing but keys goes into the queues. */
export function wireWakes({ certificates, authorities, ledgers, onGone, ...services }: WakeDeps): void {
  const { clock, cluster, registry } = services;
  const lines = new SecretWaiters({ cluster, certificates, clock });
  const forecasts = new Forecasts({
    clock,
    registry,
    find: (key) => cluster.authority(key),
    consumers: (resource) => consumersOf(resource, cluster),
    showDemand: (resource, demand) => {
      if (services.sharding.owns(authorityKey(resource))) services.metrics.showDemand(resource, demand);
    },
    wake: (authority, at) => authorities.add(authority, at),
  });
  cluster.certificates.onChange((key, before, after) => {
    certificates.add(key);
    for (const each of cluster.places.certificateChanged(before, after)) certificates.add(each);
    if (after === undefined) onGone(key);
    if (before === undefined || after === undefined) lines.wake(nextName(key));
    lines.certificateChanged(before, after);
    for (const each of [before, after]) {
      if (each === undefined || isBroken(each)) continue;
      recount(referredAuthority(each));
      // A rotation changes the status alone, and nothing of what is needed.
      if (before?.uid !== after?.uid || before?.generation !== after?.generation)
        forecasts.note(referredAuthority(each));
    }
  });

  // A CA rotation goes by the status that we write: for what fails, and where a Secret is not in memory.
  cluster.certificates.onChange(
    (_key, before, after) => {
      if (after === undefined || isBroken(after)) return;
      const former = before === undefined || isBroken(before) ? undefined : before.status;
      const { authorityGeneration, endSeconds, lastFailure } = after.status;
      const isCountedAnew =
        former?.authorityGeneration !== authorityGeneration ||
        former?.endSeconds !== endSeconds ||
        former?.lastFailure?.time !== lastFailure?.time ||
        isRefused(former ?? {}) !== isRefused(after.status);
      if (isCountedAnew) recount(referredAuthority(after));
    },
    { ownToo: true },
  );
  cluster.secrets.onChange((key, before, after) => lines.secretChanged(key, before, after));
  cluster.nextKeys.onChange((_key, before, after) => {
    for (const each of [before, after])
      if (each !== undefined) certificates.add(keyOf({ namespace: each.namespace, name: each.certificateName }));
  });
  cluster.secrets.onChange(
    (_key, before, after) => {
      for (const { authority, at } of ledgers.secretChanged(before, after)) {
        const { certificates: count = 0 } = registry.get(authority) ?? {};
        authorities.add(authority, new Date(Math.max(at.getTime(), clock.now().getTime() + pauseMs(count, 0))));
      }
    },
    { ownToo: true },
  );
  // What our own write changes in a Secret is what a CA rotation waits for.
  cluster.secrets.onChange(
    (_key, before, after) => {
      for (const each of [before, after]) {
        const authority = each && authorityOf(each);
        if (authority !== undefined) recount(authority);
      }
    },
    { ownToo: true },
  );

  for (const cache of [cluster.authorities, cluster.clusterAuthorities])
    cache.onChange((_key, before, after) => {
      const resource = after ?? before;
      if (resource !== undefined)
        for (const each of [resource, ...cluster.primariesOf(authorityKey(resource))])
          authorities.add(authorityKey(each));
      if (after === undefined && before !== undefined) cluster.places.forget(authorityKey(before));
      // What an authority names is for no certificate.
      for (const each of [before, after])
        for (const secret of each === undefined ? [] : cluster.secretsNamedBy(each)) lines.wake(secret);
    });
  cluster.generations.onChange((_key, before, after) => {
    for (const each of [before, after]) if (each !== undefined) authorities.add(each.authority);
  });

  cluster.approvals.onChange((_key, before, after) => {
    for (const each of [before, after])
      if (each !== undefined) certificates.add(keyOf({ namespace: each.namespace, name: each.certificateName }));
  });

  cluster.namespaces.onChange((namespace, before, after) => {
    // Other controllers write annotations of it, as often as they like.
    if (isDeepStrictEqual(before, after)) return;
    for (const each of cluster.certificates.byIndex('clusterUsers', namespace)) {
      certificates.add(keyOf(each));
      if (isBroken(each)) continue;
      forecasts.note(referredAuthority(each));
      recount(referredAuthority(each));
    }
  });

  /** Its members are those of its fallback too: see standbyMembers. */
  function recount(authority: string): void {
    const fallback = cluster.fallbackOf(authority);
    for (const each of [authority, ...(fallback === undefined ? [] : [fallback])]) recountOne(each);
  }

  function recountOne(authority: string): void {
    const { generations = [], certificates: count = 0 } = registry.get(authority) ?? {};
    if (isRotating(generations))
      authorities.add(authority, new Date(clock.now().getTime() + pauseMs(count, RECOUNT_MS)));
  }
}

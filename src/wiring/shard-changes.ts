import { type AnyCertificateAuthority, authorityKey, isBrokenAuthority } from '../api/certificate-authority.ts';
import { keyOf } from '../api/parse.ts';
import type { Runtime } from '../authority/runtime.ts';
import type { Controller } from '../queue/controller.ts';
import type { Revocations } from '../revocation/revocations.ts';
import { placeOf, rangeOf } from '../shards/ranges.ts';
import { dropViews } from './narrow.ts';
import type { WiredProbes } from './probes.ts';
import type { Services } from './services.ts';
import type { ShardHooks } from './shards.ts';
import type { TrustTargets } from './trust-targets.ts';

/** So long after the last change of the shards less is kept of what other replicas have. */
const QUIET_MS = 30_000;

interface Parts {
  readonly controllers: Readonly<Record<'authorities' | 'certificates' | 'probes' | 'trust-targets', Controller>>;
  readonly revocations: Pick<Revocations, 'leave'>;
  readonly targets: Pick<TrustTargets, 'leave' | 'wake'>;
  readonly probing: Pick<WiredProbes, 'leave' | 'wake'>;
  /** Of the process. */
  readonly signal: AbortSignal;
  /** Another replica has the certificate now. */
  leaveCertificate(key: string): void;
  /** Another replica has the authority now, or has had it until now. */
  leaveAuthority(key: string): void;
}

/**
 * What follows from shards that come and go. The keys of those that come are reconciled, as at a start. Of those that go nothing is
 * kept in memory: it would be old when they come back.
 */
export function wireShardChanges(
  services: Services,
  parts: Parts,
): Pick<ShardHooks, 'onChange' | 'running' | 'isCurrent'> {
  const { clock, cluster, config, metrics, registry, sharding } = services;
  const { controllers, revocations, targets, probing } = parts;

  let heldBefore = 0;
  function onChange(gained: readonly number[], lost: readonly number[]): void {
    const changeOf = changesOf(gained, lost, config.shards);
    for (const { queue } of Object.values(controllers)) queue.tidy();
    const held = sharding.ranges()?.held ?? 0;
    // This replica held no range until now, so what it knows of the CAs of cluster authorities is old.
    const takesPartAgain = heldBefore === 0 && held > 0;
    heldBefore = held;
    for (const each of cluster.authorities.values()) {
      const change = changeOf(authorityKey(each));
      if (change === 'lost') leaveAuthority(each);
      else if (change === 'gained') takeAuthority(each);
    }
    for (const each of cluster.clusterAuthorities.values()) {
      const change = changeOf(authorityKey(each));
      if (change === 'lost') forgetAuthority(each);
      else if (change === 'gained') takeAuthority(each);
      // By now another replica may reconcile it, and its rate limit is shared out anew.
      const runtime = registry.get(authorityKey(each));
      if (takesPartAgain && runtime !== undefined) forgetCas(runtime);
      for (const turnstile of [runtime?.turnstile, runtime?.polls]) turnstile?.reshare();
      controllers.authorities.queue.add(authorityKey(each));
    }
    for (const key of cluster.certificates.keys()) {
      const change = changeOf(key);
      if (change === 'lost') parts.leaveCertificate(key);
      else if (change === 'gained') controllers.certificates.queue.add(key);
    }
    // Requests of certificates that were deleted while no replica had them.
    for (const { namespace, certificateName } of cluster.nextKeys.values()) {
      const key = keyOf({ namespace, name: certificateName });
      if (changeOf(key) === 'gained') controllers.certificates.queue.add(key);
    }
    narrowWhenQuiet().catch((error: unknown) => {
      if (!parts.signal.aborted) throw error;
    });
  }

  let changes = 0;
  /** The shards change many times when a replica comes or goes, and a namespace may come back soon. */
  async function narrowWhenQuiet(): Promise<void> {
    const change = ++changes;
    await clock.sleep(QUIET_MS, parts.signal);
    if (change !== changes || !sharding.ranges()?.held) return;
    const ours = (namespace: string) => sharding.owns(`${namespace}/`);
    cluster.keepViewsIn(ours);
    await dropViews(cluster.secrets, ours, clock, parts.signal);
  }

  function takeAuthority(resource: AnyCertificateAuthority): void {
    const key = authorityKey(resource);
    // What this replica read while another one wrote it.
    parts.leaveAuthority(key);
    if (!isBrokenAuthority(resource)) revocations.leave(resource);
    controllers.authorities.queue.add(key);
    targets.leave(key);
    targets.wake(key);
    // The CA rotation of a fallback waits for the targets of those that name it.
    for (const each of cluster.primariesOf(key)) targets.wake(authorityKey(each));
    probing.wake(key);
  }

  function leaveAuthority(resource: AnyCertificateAuthority): void {
    registry.remove(authorityKey(resource));
    forgetAuthority(resource);
  }

  function forgetAuthority(resource: AnyCertificateAuthority): void {
    const key = authorityKey(resource);
    metrics.hideAuthority(key);
    parts.leaveAuthority(key);
    targets.leave(key);
    targets.wake(key);
    probing.leave(resource);
    if (!isBrokenAuthority(resource)) revocations.leave(resource);
  }

  return {
    onChange,
    isCurrent: () => !cluster.isAnyBehind,
    running: function* () {
      for (const { queue } of Object.values(controllers)) yield* queue.running();
    },
  };
}

/** Drops the view and the CA generations. Waiting requests and the rate limit stay. */
function forgetCas(runtime: Runtime): void {
  runtime.view = undefined;
  runtime.generations = [];
}

/** Says of a key whether it has come or gone. */
function changesOf(gained: readonly number[], lost: readonly number[], count: number) {
  const byRange = new Map<number, 'gained' | 'lost'>();
  for (const range of gained) byRange.set(range, 'gained');
  for (const range of lost) byRange.set(range, 'lost');
  // A namespace may have thousands of keys.
  const byPlace = new Map<string, 'gained' | 'lost' | undefined>();
  return (key: string): 'gained' | 'lost' | undefined => {
    const place = placeOf(key);
    if (!byPlace.has(place)) byPlace.set(place, byRange.get(rangeOf(place, count)));
    return byPlace.get(place);
  };
}

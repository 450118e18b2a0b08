import {
  authorityKey,
  authorityResource,
  type CertificateAuthority,
  fallbackKey,
} from '../api/certificate-authority.ts';
import type { AuthorityKind } from '../api/client-certificate.ts';
import { SECRETS } from '../api/names.ts';
import { keyOf } from '../api/parse.ts';
import { consumersOf } from '../authority/consumers.ts';
import type { AuthorityDeps } from '../authority/deps.ts';
import type { Ledgers } from '../authority/ledgers.ts';
import { reconcileAuthority } from '../authority/reconcile.ts';
import { AUTHORITY_CONDITIONS } from '../authority/status.ts';
import { occupation, purposeOf } from '../certificate/secret/protection.ts';
import { ApiError, AuthorityError } from '../errors.ts';
import { CREATE_ONLY } from '../kube/object.ts';
import { Buckets } from '../queue/bucket.ts';
import { Controller } from '../queue/controller.ts';
import { SlowWork } from '../queue/slow-work.ts';
import { Turns } from '../queue/turns.ts';
import type { Call } from '../queue/turnstile.ts';
import { abilityOf } from '../revocation/ability.ts';
import type { Revocations } from '../revocation/revocations.ts';
import type { Generation } from '../rotation/generation.ts';
import { blankManifest, generationManifest } from '../rotation/generation-manifest.ts';
import { viewGenerationSecret } from '../rotation/generation-secret.ts';
import { MOST_AFTER_PROOFS, membersOf, proveMembers } from '../rotation/members.ts';
import { standbyMembers } from '../rotation/standby.ts';
import type { TrustProof } from '../rotation/trust-proof.ts';
import { trustedNow } from '../rotation/trusted.ts';
import type { TargetResults } from '../trust-targets/results.ts';
import { wireFallbacks } from './fallbacks.ts';
import { readAuthority } from './fresh-reads.ts';
import { applyWhole } from './secret-access.ts';
import { namespaceOf, recordEvent, type Services, STATUS_WRITES, writeStatus } from './services.ts';
import { startAuthority } from './start-authority.ts';

/** Authorities are few; one that asks another machine takes the place of none. */
const WORKERS = 4;
/** CA keys that are made at the same time, beside those of clients. */
const KEYS_AT_ONCE = 1;

/** What to wake: all certificates of an authority, or one whose turn it is. */
export interface Wakes {
  members(authority: string): void;
  /** Certificates whose re-issue is due. */
  released(keys: readonly string[]): void;
  certificate: Call;
}

/** What is known of those who must trust the CA of an authority. */
export interface TrustEvidence extends Pick<TargetResults, 'status' | 'crlCondition'> {
  verifiers: AuthorityDeps['verifiers'];
  /** By the key of the authority, and the fingerprint of the CA certificate that is to be trusted. */
  proofs(key: string, fingerprint: string): readonly TrustProof[];
  /** See crlProofs. */
  crlProofs(key: string, generation: Generation): readonly TrustProof[];
  /** The same of its trust targets alone. */
  targetProofs(key: string, fingerprint: string): readonly TrustProof[];
}

export interface WiredAuthorities {
  readonly controller: Controller;
  /** To be called when another replica has the authority of that key, or has had it. */
  leave(key: string): void;
}

export function wireAuthorities(
  services: Services,
  { ledgers, revocations }: { readonly ledgers: Ledgers; readonly revocations: Revocations },
  trust: TrustEvidence,
  wakes: Wakes,
): WiredAuthorities {
  const { audit, ownership, client, clock, cluster, config, events, log, metrics, registry, sharding } = services;
  const isShared = config.shards > 0;
  const turns = new Turns(clock);
  /** Authorities whose certificates were just proven; their next look may make MOST_AFTER_PROOFS proofs. */
  const proven = new Set<string>();
  const members = (key: string) => {
    const generations = registry.get(key)?.generations ?? [];
    return membersOf(key, generations, cluster, proven.has(key) ? MOST_AFTER_PROOFS : undefined);
  };
  /** Of the authorities whose fallback it is. */
  const standby = (key: string) => {
    const runtime = registry.get(key);
    const stated = runtime === undefined ? [] : trustedNow(runtime);
    return cluster
      .primariesOf(key)
      .flatMap((each) => standbyMembers(members(authorityKey(each)), registry.current(each)?.view, stated));
  };
  const deps: AuthorityDeps = {
    clock,
    log,
    registry,
    audit,
    ownership,
    statusWrites: new Buckets(STATUS_WRITES),
    slowWork: new SlowWork(KEYS_AT_ONCE, clock, () => false),
    wakeCertificates: wakes.members,
    wakeReleased: wakes.released,
    ledgers,
    revocations,
    trustPropagationMs: config.trustPropagationMs,
    controllerNamespace: config.controllerNamespace,
    // A fallback signs for those who trust the authorities that name it.
    proofs: (key, { path: { anchor } }) => [
      ...trust.proofs(key, anchor.fingerprintSHA256),
      ...cluster.primariesOf(key).flatMap((each) => trust.targetProofs(authorityKey(each), anchor.fingerprintSHA256)),
    ],
    crlProofs: (key, generation) => {
      const runtime = registry.get(key);
      const isOwed = runtime?.resource.revocation.keepsCrl && abilityOf(runtime.resource, runtime).by === 'crl';
      return isOwed ? trust.crlProofs(key, generation) : [];
    },
    isFollowed: isShared ? (key) => !sharding.owns(key) : undefined,
    isOurs: isShared ? sharding.owns : undefined,
    find: (key) => cluster.authority(key),
    start: (resource) =>
      startAuthority(resource, services, () => controller.queue.add(authorityKey(resource)), wakes.certificate),
    generationSecrets: (key) => cluster.generations.byIndex('authority', key),
    readAuthority: (resource) => readAuthority(resource, services),
    prove: async (key, signal) => {
      for (const each of cluster.withPrimaries(key)) {
        await proveMembers(each, cluster, turns, signal);
        proven.add(each);
      }
    },
    members: (key) => [...members(key), ...standby(key)],
    fallbacks: wireFallbacks(services, members),
    fallbackOf: (resource) => {
      const found = cluster.authority(fallbackKey(resource) ?? '');
      return resource.fallback === undefined ? undefined : { resource: found, view: registry.current(found)?.view };
    },
    consumers: (resource) => consumersOf(resource, cluster),
    trustStatus: (resource) => trust.status(resource),
    crlCondition: (resource) => trust.crlCondition(resource),
    verifiers: (resource) => trust.verifiers(resource),
    createGeneration: async (resource, generation, beside) => {
      const blank = await blankFor(resource, generation.version, services);
      const stored = await applyWhole(client, generationManifest(resource, generation, blank, beside), true);
      cluster.generations.put(stored, blank.resourceVersion);
    },
    writeGeneration: async (resource, generation, beside) => {
      const { secret } = generation;
      const stored = await applyWhole(client, generationManifest(resource, generation, secret, beside));
      cluster.generations.put(stored, secret.resourceVersion);
    },
    deleteGeneration: async ({ secret: { namespace, name, uid, resourceVersion } }) => {
      await client.delete(SECRETS, namespace, name, { uid, resourceVersion });
      cluster.generations.remove(namespace, { metadata: { namespace, name, resourceVersion } });
    },
    writeStatus: async (resource, status) => {
      const { kind } = resource;
      const stored = await writeStatus(client, authorityResource(kind), resource, status, AUTHORITY_CONDITIONS);
      cacheOf(kind, services).put(stored, resource.resourceVersion);
    },
    recordEvent: (resource, event) => {
      // An event without a namespace is written into `default`, where Roles give no right.
      if (resource.namespace === '' && config.namespaces !== undefined) return;
      recordEvent(events, authorityResource(resource.kind), resource, event);
    },
    metrics: {
      show: metrics.showAuthority,
      showRotation: metrics.showRotation,
      showRevocations: metrics.showRevocations,
      overruled: metrics.rotationOverruled,
      showDemand: metrics.showDemand,
      showFallback: metrics.showFallback,
      hide: metrics.hideAuthority,
    },
  };
  const controller = new Controller({
    name: 'authorities',
    workers: WORKERS,
    accepts: (key) => sharding.owns(key) || sharding.follows(key),
    reconcile: async (key, run) => {
      let isMadeAgain = false;
      try {
        const outcome = await reconcileAuthority(key, deps, run);
        isMadeAgain = outcome.do === 'retry';
        return outcome;
      } finally {
        if (!isMadeAgain) for (const each of cluster.withPrimaries(key)) proven.delete(each);
      }
    },
    clock,
    log,
    metrics,
  });
  const leave = (key: string) => {
    deps.fallbacks.forget(key);
    proven.delete(key);
  };
  return { controller, leave };
}

/** The blank Secret of a new generation; one that was left by a process that ended too soon, or by another replica, too. */
async function blankFor(
  resource: CertificateAuthority,
  version: number,
  services: Services,
): Promise<Generation['secret']> {
  const { client, cluster } = services;
  const manifest = blankManifest(resource, version, namespaceOf(resource, services));
  const known = cluster.generations.get(keyOf(manifest.metadata));
  if (known?.isBlank) return known.secret;
  const stored = await applyWhole(client, manifest).catch(async (error) =>
    Promise.reject(await foreignInTheWay(error, manifest, services)),
  );
  cluster.generations.put(stored, CREATE_ONLY);
  return viewGenerationSecret(stored, services.config.controllerNamespace).secret;
}

/** A lost race is tried again; a Secret of that name which isn't ours never gives way by itself. */
async function foreignInTheWay(
  error: unknown,
  { metadata: { namespace, name, labels } }: ReturnType<typeof blankManifest>,
  { client, cluster }: Services,
): Promise<unknown> {
  if (!(error instanceof ApiError) || error.status !== 409) return error;
  const found = await client.get(SECRETS, namespace, name);
  const theirs = found?.metadata?.labels ?? {};
  if (found === undefined || Object.entries(labels).every(([key, value]) => theirs[key] === value)) return error;
  const occupied = occupation(found, purposeOf(found, cluster.usesOf(keyOf({ namespace, name }))));
  const advice =
    occupied === undefined
      ? 'move its content to another name if something uses it, or create this authority anew under another name'
      : 'create this authority anew under another name';
  return new AuthorityError(
    'SecretNotOwned',
    `a CA generation is to be kept in Secret ${namespace}/${name}, and that Secret ${occupied ?? "isn't Certwheel's"}; ${advice}`,
  );
}

function cacheOf(kind: AuthorityKind, { cluster }: Services) {
  return kind === 'CertificateAuthority' ? cluster.authorities : cluster.clusterAuthorities;
}

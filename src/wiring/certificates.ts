import { isBrokenAuthority } from '../api/certificate-authority.ts';
import { type ClientCertificate, isBroken } from '../api/client-certificate.ts';
import { CLIENT_CERTIFICATES, CONFIG_MAPS, SECRETS } from '../api/names.ts';
import { keyOf, parseMeta, type RawObject } from '../api/parse.ts';
import { requestPlacesOf } from '../certificate/client-request.ts';
import type { CertificateDeps } from '../certificate/deps.ts';
import { observe, referredAuthority, secretKeyOf } from '../certificate/observe.ts';
import { RecentActs } from '../certificate/recent.ts';
import { deadlineOf, reconcileCertificate } from '../certificate/reconcile.ts';
import { RenewalSuggestions } from '../certificate/renewal-suggestions.ts';
import { PendingRequests } from '../certificate/request/pending-requests.ts';
import { UnpublishedCertificates } from '../certificate/request/unpublished.ts';
import { FollowedSecrets } from '../certificate/secret/followed-secrets.ts';
import { purposeOf } from '../certificate/secret/protection.ts';
import { authorityKeyIn } from '../certificate/secret/record.ts';
import { passwordSecretsOf, readStorePasswords } from '../certificate/secret/store-passwords.ts';
import type { SecretView } from '../certificate/secret/view.ts';
import { assertServed, assertServedByFallback } from '../certificate/served.ts';
import { CERTIFICATE_CONDITIONS } from '../certificate/status/status.ts';
import { RetryableError } from '../errors.ts';
import { oneNamed } from '../kube/one-named.ts';
import type { DecisionsOn } from '../policy/permission.ts';
import { Buckets } from '../queue/bucket.ts';
import { Controller } from '../queue/controller.ts';
import { SlowWork } from '../queue/slow-work.ts';
import type { WorkQueue } from '../queue/work-queue.ts';
import type { Revocations } from '../revocation/revocations.ts';
import type { Cluster } from './cluster.ts';
import { writeFinalizer } from './finalizer.ts';
import { freshReads } from './fresh-reads.ts';
import { revokeEach } from './revocations.ts';
import { nextKeyAccess, secretAccess } from './secret-access.ts';
import { recordEvent, type Services, STATUS_WRITES, writeStatus } from './services.ts';

interface WiredCertificates {
  readonly controller: Controller;
  /** To be called when one of them is gone. */
  forget(key: string): void;
  /** To be called when another replica has one of them. */
  leave(key: string): void;
}

/** The controller of ClientCertificates. */
export function wireCertificates(services: Services, revocations: Revocations): WiredCertificates {
  const { audit, booksKey, cluster, client, clock, config, events, log, metrics, references, registry } = services;
  const { ownership, sharding } = services;
  const followed = new FollowedSecrets({ references, clock, wake: (key, at) => controller.queue.add(key, at) });
  const awaited = new PendingRequests((key, name) => {
    const [namespace = '', certificate = ''] = key.split('/');
    const places = name === undefined ? [] : [{ kind: 'ConfigMap', name, dataOnly: false } as const];
    answers.follow({ namespace, name: certificate }, places);
  });
  // Requests are polled anyhow, so those whose ConfigMap isn't watched are not woken at moments either.
  const answers = new FollowedSecrets({
    references,
    clock,
    wake: (key, at) => {
      const inMs = at === undefined ? awaited.noteChange(key, clock.monotonicMs()) : undefined;
      if (inMs !== undefined) controller.queue.add(key, new Date(clock.now().getTime() + inMs));
    },
  });
  const secrets = secretAccess(services);
  const recent = new RecentActs();
  const runtimeOf = (resource: ClientCertificate) => registry.current(cluster.authority(referredAuthority(resource)));
  const suggestions = new RenewalSuggestions({ clock, log, backendOf: (resource) => runtimeOf(resource)?.backend });
  const readReferredPast = (namespace: string, name: string, kind?: 'Secret' | 'ConfigMap') =>
    kind === 'ConfigMap' ? readConfigMap(services, namespace, name) : secrets.get(namespace, name);
  const observing = {
    cachedSecret: (key: string) => cluster.secret(key),
    nextKey: (key: string) => cluster.nextKey(key),
    recent: (key: string) => recent.of(key),
    suggestion: (key: string) => suggestions.of(key),
    revocation: (authority: string) => {
      const resource = cluster.authority(authority);
      return resource === undefined || isBrokenAuthority(resource) ? undefined : revocations.viewOf(resource);
    },
    seal: booksKey.seal,
    readSecret: secrets.get,
    readReferred: async (namespace: string, name: string, kind?: 'Secret' | 'ConfigMap') => {
      const watched = followed.read(namespace, name, kind);
      return watched === undefined ? readReferredPast(namespace, name, kind) : watched.found;
    },
    readReferredPast,
    keepView: (view: SecretView) => cluster.keepView(view),
    isSecretAbsent: (key: string) => cluster.secrets.isAbsent(key),
    firstToName: (secret: string) => cluster.certificates.firstByIndex('secret', secret),
    usesOf: (secret: string) => cluster.usesOf(secret),
    certificate: (key: string) => cluster.certificates.get(key),
    authority: (key: string) => cluster.authority(key),
    authorityView: (key: string) => registry.current(cluster.authority(key))?.view,
    places: cluster.places,
    requestRead: (resource: ClientCertificate) => {
      for (const key of cluster.places.requestRead(resource)) controller.queue.add(key);
    },
    deniedPrefixes: config.deniedTemplatePrefixes,
    clusterAuthorities: config.clusterAuthorities,
    approvals: config.approvals ? (of: Parameters<DecisionsOn>[0]) => cluster.decisionsOn(of) : undefined,
    namespaceLabels: (name: string) => cluster.namespaces.get(name),
    ...freshReads(services),
  };
  const deps: CertificateDeps = {
    secrets,
    recent,
    suggestions,
    requestedBy: ({ requestedBy = 'unverified' }) => (config.requestStamps ? requestedBy : 'unverified'),
    assertServed: async (resource, made) => {
      // The write of what is made has a precondition of its own.
      if (made === undefined) await assertSeen(resource, services);
      return assertServed(resource, made, clock.now(), observing);
    },
    assertServedByFallback: async (resource, made, asked) => {
      if (made === undefined) await assertSeen(resource, services);
      return assertServedByFallback(resource, made, asked, clock.now(), observing);
    },
    purposeOf: (secret) => purposeOf(secret, cluster.usesOf(keyOf(parseMeta(secret)))),
    freshPasswords: (resource) => readStorePasswords(resource, secrets.get),
    seal: booksKey.seal,
    revoke: (resource, wishes) => revokeEach(resource, wishes, revocations),
    hold: (resource, isHeld) => writeFinalizer(resource, isHeld, services),
    deletions: new Map(),
    unpublished: new UnpublishedCertificates(),
    awaited,
    nextKeys: nextKeyAccess(services),
    liveSecret: secrets.get,
    nextKey: observing.nextKey,
    isGone: async (namespace, name) => {
      const selection = { namespace, ...oneNamed(name) };
      return (await client.list(CLIENT_CERTIFICATES, selection)).items.length === 0;
    },
    askedBy: ({ authority, namespace }) => registry.get(authorityKeyIn(namespace, authority))?.backend,
    clock,
    log,
    audit,
    ownership,
    routineEvents: config.routineEvents,
    published: (notice) => log.debug('certificate published', { ...notice }),
    propagationMs: config.trustPropagationMs,
    find: (key) => cluster.certificates.get(key),
    proveSecret: (key) => void (key && cluster.secret(key)),
    observe: async (resource) => {
      const seen = await observe(resource, observing);
      // A change of the first in line wakes those behind: see SecretWaiters.
      const isOccupied = seen.rival === undefined && seen.secret !== undefined && seen.ours === undefined;
      followed.follow(resource, [
        ...passwordSecretsOf(resource.spec).map((name) => ({ name, dataOnly: true })),
        ...requestPlacesOf(resource.spec).map(({ kind, name }) => ({ kind, name, dataOnly: true })),
        // A person may hand it over by an annotation.
        ...(isOccupied ? [{ name: resource.spec.secretName, dataOnly: false }] : []),
      ]);
      return seen;
    },
    noticeCa: (resource, ca) => runtimeOf(resource)?.noticeCa(ca),
    runtime: runtimeOf,
    slowWork: new SlowWork(Math.ceil(config.workers / 4), clock, (key) =>
      wakeCertificate(controller.queue, services, key),
    ),
    statusWrites: new Buckets(STATUS_WRITES),
    writeStatus: async (resource, status) => {
      cluster.certificates.put(
        await writeStatus(client, CLIENT_CERTIFICATES, resource, status, CERTIFICATE_CONDITIONS),
        resource.resourceVersion,
      );
    },
    recordEvent: (resource, event) => recordEvent(events, CLIENT_CERTIFICATES, resource, event),
    metrics: {
      rotated: metrics.rotated,
      issuedByRule: metrics.issuedByRule,
      fallbackIssued: metrics.fallbackIssued,
      failed: metrics.failed,
      show: (resource, status) => metrics.certificates.show(resource, status),
    },
  };
  const controller = new Controller({
    name: 'certificates',
    workers: config.workers,
    reconcile: (key, run) => reconcileCertificate(key, deps, run),
    deadlineOf: (key) => deadlineOf(secretOf(cluster, key)),
    accepts: sharding.owns,
    clock,
    log,
    metrics,
  });
  const forget = (key: string) => {
    metrics.certificates.hide(key);
    followed.forget(key);
    suggestions.forget(key);
  };
  const leave = (key: string) => {
    forget(key);
    recent.drop(key);
    deps.unpublished.drop(key);
    deps.deletions.delete(key);
    awaited.drop(key);
  };
  return { controller, forget, leave };
}

/**
 * Right after a certificate came from another replica, the watch may lack the Secret that one wrote last: it would look as if a new
 * certificate were due.
 */
async function assertSeen(resource: ClientCertificate, { client, cluster, sharding }: Services): Promise<void> {
  if (!sharding.isFresh(keyOf(resource))) return;
  const live = await client.get(SECRETS, resource.namespace, resource.spec.secretName);
  const seen = cluster.secretOnArrival(secretKeyOf(resource));
  // One that is in no cache was read by this very run.
  const isMissed = seen === undefined && live !== undefined && cluster.secrets.isAbsent(secretKeyOf(resource));
  if (isMissed || (seen !== undefined && seen.resourceVersion !== live?.metadata?.resourceVersion))
    throw new RetryableError('Conflict', 'the Secret was written by another replica');
}

async function readConfigMap({ client }: Services, namespace: string, name: string): Promise<RawObject | undefined> {
  const selection = { namespace, ...oneNamed(name) };
  return (await client.list(CONFIG_MAPS, selection)).items[0];
}

function secretOf(cluster: Cluster, key: string): SecretView | undefined {
  const resource = cluster.certificates.get(key);
  if (resource === undefined || isBroken(resource)) return undefined;
  return cluster.secretOnArrival(secretKeyOf(resource));
}

/** For the wake-up of everybody behind an authority. */
export function wakeMembers(queue: WorkQueue, { cluster }: Services, authority: string): void {
  for (const key of cluster.certificates.keysByIndex('authority', authority)) queue.add(key);
}

/** For the one whose turn it is at its authority; false where it is gone, or another replica has it. */
export function wakeCertificate(queue: WorkQueue, { cluster, sharding }: Services, key: string): boolean {
  if (cluster.certificates.get(key) === undefined || !sharding.owns(key)) return false;
  queue.addFirst(key);
  return true;
}

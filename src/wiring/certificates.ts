import { isDeepStrictEqual } from 'node:util';
import { authorityKey } from '../api/certificate-authority.ts';
import { type AuthorityKind, type ClientCertificate, isBroken } from '../api/client-certificate.ts';
import { CLIENT_CERTIFICATES, SECRETS } from '../api/names.ts';
import { keyOf, parseMeta, type RawObject } from '../api/parse.ts';
import { AwaitedRequests } from '../certificate/awaited.ts';
import { viewNextKey } from '../certificate/next-key.ts';
import { observe, referredAuthority, secretKeyOf } from '../certificate/observe.ts';
import { isOurs } from '../certificate/observed.ts';
import { purposeOf } from '../certificate/protection.ts';
import type { SecretAccess } from '../certificate/publish.ts';
import { type CertificateDeps, deadlineOf, reconcileCertificate } from '../certificate/reconcile.ts';
import type { NextKeyAccess } from '../certificate/request.ts';
import { type SecretView, viewSecret } from '../certificate/secret-view.ts';
import { CERTIFICATE_CONDITIONS } from '../certificate/status.ts';
import { Unpublished } from '../certificate/unpublished.ts';
import { ApiError } from '../errors.ts';
import type { Reference } from '../kube/references.ts';
import { Controller } from '../queue/controller.ts';
import type { WorkQueue } from '../queue/work-queue.ts';
import type { Cluster } from './cluster.ts';
import { type Services, tell, writeStatus } from './services.ts';

/** The controller of ClientCertificates, and what is to be called when one of them is gone. */
export function wireCertificates(services: Services): { controller: Controller; forget: (key: string) => void } {
  const { cluster, client, clock, config, events, log, metrics, registry, assertLeading } = services;
  const foreign = new ForeignSecrets(services, (key) => controller.queue.add(key));
  const secrets = secretAccess(services);
  const observing = {
    cachedSecret: (key: string) => cluster.secrets.get(key),
    nextKey: (key: string) => cluster.nextKey(key),
    readSecret: secrets.get,
    rivals: (namespace: string, secretName: string) =>
      cluster.certificates.byIndex('secret', keyOf({ namespace, name: secretName })),
    usesOf: (secret: string) => cluster.usesOf(secret),
    certificate: (key: string) => cluster.certificates.get(key),
    authority: (key: string) => cluster.authority(key),
    authorityView: (key: string) => registry.get(key)?.view,
    servesCluster: config.namespaces === undefined,
    namespaceLabels: (name: string) => cluster.namespaces.get(name),
  };
  const deps: CertificateDeps = {
    secrets,
    purposeOf: (secret) => purposeOf(secret, cluster.usesOf(keyOf(parseMeta(secret)))),
    unpublished: new Unpublished(),
    awaited: new AwaitedRequests(),
    nextKeys: nextKeyAccess(services),
    nextKey: observing.nextKey,
    // A list of one, since that needs no right beyond those for watching.
    isGone: async (namespace, name) => {
      const selection = { namespace, fieldSelector: `metadata.name=${name}`, limit: 1 };
      return (await client.list(CLIENT_CERTIFICATES, selection)).items.length === 0;
    },
    askedBy: ({ authority, namespace }) => {
      const [kind, name = ''] = authority.split('/');
      return registry.get(authorityKey({ kind: kind as AuthorityKind, namespace, name }))?.backend;
    },
    clock,
    log,
    assertLeading,
    routineEvents: config.routineEvents,
    propagationMs: config.trustPropagationMs,
    find: (key) => cluster.certificates.get(key),
    observe: async (resource) => {
      const seen = await observe(resource, observing);
      if (seen !== undefined) foreign.follow(resource, seen.secret !== undefined && !isOurs(seen));
      return seen;
    },
    runtime: (resource) => registry.get(referredAuthority(resource)),
    writeStatus: async (resource, status) => {
      cluster.certificates.put(
        await writeStatus(client, CLIENT_CERTIFICATES, resource, status, CERTIFICATE_CONDITIONS),
        resource.resourceVersion,
      );
    },
    tell: (resource, event) => tell(events, CLIENT_CERTIFICATES, resource, event),
    metrics: {
      rotated: metrics.rotated,
      failed: metrics.failed,
      show: (resource, status) => metrics.certificates.show(resource, status),
    },
  };
  const controller = new Controller({
    name: 'certificates',
    workers: config.workers,
    reconcile: (key, run) => reconcileCertificate(key, deps, run),
    deadlineOf: (key) => deadlineOf(secretOf(cluster, key)),
    clock,
    log,
    metrics,
  });
  const forget = (key: string) => {
    metrics.certificates.hide(key);
    foreign.forget(key);
  };
  return { controller, forget };
}

function secretOf(cluster: Cluster, key: string): SecretView | undefined {
  const resource = cluster.certificates.get(key);
  if (resource === undefined || isBroken(resource)) return undefined;
  return cluster.secrets.get(secretKeyOf(resource));
}

/** Reads past the cache, and writes into it: the next look must see what was just written. */
function secretAccess({ client, cluster }: Services): SecretAccess {
  return {
    get: (namespace, name) => client.get(SECRETS, namespace, name),
    apply: async (manifest, content) => {
      const stored = await client.apply(SECRETS, manifest);
      // What was proven before it was written needn't be proven again, unless something in between has changed it.
      const known = isDeepStrictEqual(stored.data, manifest.data) ? content : undefined;
      const reduce = (object: RawObject) => viewSecret(object, known);
      cluster.secrets.put(stored, manifest.metadata.resourceVersion, reduce);
      const cached = cluster.secrets.get(keyOf(manifest.metadata));
      return cached?.resourceVersion === stored.metadata?.resourceVersion && cached !== undefined
        ? cached
        : reduce(stored);
    },
  };
}

/** The keys themselves are read past the cache, which holds none. */
function nextKeyAccess({ client, cluster }: Services): NextKeyAccess {
  return {
    read: (namespace, name) => client.get(SECRETS, namespace, name),
    apply: async (manifest) => {
      const stored = await client.apply(SECRETS, manifest);
      cluster.nextKeys.put(stored, manifest.metadata.resourceVersion);
      return viewNextKey(stored);
    },
    delete: async ({ namespace, name, uid, resourceVersion }) => {
      try {
        await client.delete(SECRETS, namespace, name, { uid });
      } catch (error) {
        // Another one by now, which the watch tells of.
        if (!(error instanceof ApiError) || error.status !== 409) throw error;
      }
      cluster.nextKeys.remove(namespace, { metadata: { namespace, name, resourceVersion } });
    },
  };
}

/** Watches the Secrets that are in a certificate's way, one by one: they don't carry our label, so nothing else would tell. */
class ForeignSecrets {
  readonly #services: Services;
  readonly #wake: (key: string) => void;
  readonly #followed = new Map<string, Reference>();

  constructor(services: Services, wake: (key: string) => void) {
    this.#services = services;
    this.#wake = wake;
  }

  follow(resource: ClientCertificate, isInTheWay: boolean): void {
    const key = keyOf(resource);
    if (!isInTheWay) this.forget(key);
    else if (!this.#followed.has(key)) {
      const wake = () => this.#wake(key);
      const reference = this.#services.references.acquire(SECRETS, resource.namespace, resource.spec.secretName, wake);
      this.#followed.set(key, reference);
      // Gone between the look and the watch, which then has nothing to tell.
      void reference.synced.then(() => reference.get() === undefined && wake());
    }
  }

  forget(key: string): void {
    this.#followed.get(key)?.release();
    this.#followed.delete(key);
  }
}

/** For the wake-up of everybody behind an authority. */
export function wakeMembers(queue: WorkQueue, { cluster }: Services, authority: string): void {
  for (const each of cluster.certificates.byIndex('authority', authority)) if (!isBroken(each)) queue.add(keyOf(each));
}

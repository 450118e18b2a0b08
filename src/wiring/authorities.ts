import { hash } from 'node:crypto';
import {
  authorityKey,
  authorityResource,
  type CertificateAuthority,
  isBrokenAuthority,
} from '../api/certificate-authority.ts';
import type { AuthorityKind } from '../api/client-certificate.ts';
import { CONFIG_MAPS, type Resource, SECRETS } from '../api/names.ts';
import { keyOf, type RawObject } from '../api/parse.ts';
import type { SecretContent } from '../authorities/authority.ts';
import { Breaker } from '../authority/breaker.ts';
import type { AuthorityDeps } from '../authority/deps.ts';
import { generationManifest } from '../authority/generation-secret.ts';
import { type Member, signingGeneration } from '../authority/generations.ts';
import { reconcileAuthority } from '../authority/reconcile.ts';
import type { Runtime } from '../authority/registry.ts';
import { AUTHORITY_CONDITIONS } from '../authority/status.ts';
import { troubleOf } from '../authority/trouble.ts';
import { secretKeyOf } from '../certificate/observe.ts';
import { isOurs } from '../certificate/observed.ts';
import { ApiError, AuthorityError, DeniedError } from '../errors.ts';
import { CREATE_ONLY } from '../kube/object.ts';
import type { Reference } from '../kube/references.ts';
import { Controller } from '../queue/controller.ts';
import { Turnstile } from '../queue/turnstile.ts';
import { clusterAccess } from './cluster-access.ts';
import { consumersOf } from './forecasts.ts';
import { type Services, tell, writeStatus } from './services.ts';

/** Authorities are few; one that asks another machine takes the place of none. */
const WORKERS = 4;
/** Requests to one remote authority at the same time. */
const ASKED_AT_ONCE = 16;

/** Whom to wake: all behind an authority, or one whose turn it is. */
export interface Wakes {
  members(authority: string): void;
  certificate(key: string): void;
}

export function wireAuthorities(services: Services, wakes: Wakes): Controller {
  const { assertLeading, client, clock, cluster, config, events, log, metrics, registry } = services;
  const deps: AuthorityDeps = {
    clock,
    log,
    registry,
    assertLeading,
    wakeCertificates: wakes.members,
    trustPropagationMs: config.trustPropagationMs,
    find: (key) => cluster.authority(key),
    start: (resource) => startAuthority(resource, services, wakes, () => controller.queue.add(authorityKey(resource))),
    generationSecrets: (key) => cluster.generations.byIndex('authority', key),
    members: (key) => members(key, services),
    consumers: (resource) => consumersOf(resource, cluster),
    writeGeneration: async (
      resource,
      generation,
      secret = { namespace: namespaceOf(resource, services), resourceVersion: CREATE_ONLY },
    ) => {
      const manifest = generationManifest(resource, generation, secret);
      const stored = await client
        .apply(SECRETS, manifest)
        .catch(async (error) => Promise.reject(await foreignInTheWay(error, manifest, client)));
      cluster.generations.put(stored, secret.resourceVersion);
    },
    deleteGeneration: async ({ secret: { namespace, name, uid, resourceVersion } }) => {
      await client.delete(SECRETS, namespace, name, { uid });
      cluster.generations.remove(namespace, { metadata: { namespace, name, resourceVersion } });
    },
    writeStatus: async (resource, status) => {
      const { kind } = resource;
      const stored = await writeStatus(client, authorityResource(kind), resource, status, AUTHORITY_CONDITIONS);
      cacheOf(kind, services).put(stored, resource.resourceVersion);
    },
    tell: (resource, event) => tell(events, authorityResource(resource.kind), resource, event),
    metrics: { show: metrics.showAuthority, showDemand: metrics.showDemand, hide: metrics.hideAuthority },
  };
  const controller = new Controller({
    name: 'authorities',
    workers: WORKERS,
    reconcile: (key, run) => {
      const look = () => reconcileAuthority(key, deps, run.signal);
      return asksAnotherMachine(key, services) ? run.outside(look) : look();
    },
    clock,
    log,
    metrics,
  });
  return controller;
}

/** Such a look may take half a minute, and whoever has many of them would hold up everybody else's. */
function asksAnotherMachine(key: string, { cluster, definitions }: Services): boolean {
  const resource = cluster.authority(key);
  if (resource === undefined || isBrokenAuthority(resource)) return false;
  return definitions.find(({ type }) => type === resource.type)?.capabilities.remote === true;
}

function startAuthority(resource: CertificateAuthority, services: Services, wakes: Wakes, wake: () => void): Runtime {
  const { client, clock, config, definitions, log, registry, references } = services;
  const definition = definitions.find(({ type }) => type === resource.type);
  // The schema admits only what there is a definition for; a test holds the two against each other.
  if (definition === undefined) throw new Error(`no authority of type ${resource.type} is known`);
  const namespace = namespaceOf(resource, services);
  const { capabilities } = definition;
  const rateLimit = resource.rateLimit ?? capabilities.rateLimit;
  const limits = { capacity: capabilities.remote ? ASKED_AT_ONCE : Number.POSITIVE_INFINITY, rate: rateLimit };
  const turnstile =
    capabilities.remote || rateLimit !== undefined ? new Turnstile(limits, clock, wakes.certificate) : undefined;
  const breaker = new Breaker(clock, turnstile);
  // One that asks nobody else is as its probe finds it.
  const told = capabilities.remote ? breaker : undefined;
  const onReferenceChange = () => {
    breaker.hurry();
    wake();
  };
  const used = new Map<string, Reference>();
  const read = async (kind: Resource, name: string) => {
    const id = `${kind.plural}/${name}`;
    const reference = used.get(id) ?? references.acquire(kind, namespace, name, onReferenceChange);
    used.set(id, reference);
    await reference.synced;
    return reference.get();
  };
  const runtime = () => registry.get(authorityKey(resource));
  const backend = definition.create(resource.backend as never, {
    name: keyOf(resource),
    clusterWide: resource.kind === 'ClusterCertificateAuthority',
    clock,
    log,
    loopback: config.loopbackAuthorities,
    secret: async (name) => {
      const found = await read(SECRETS, name);
      return found && contentOf(found, 'base64');
    },
    configMap: async (name) => {
      const found = await read(CONFIG_MAPS, name);
      return found && contentOf(found, 'utf8');
    },
    ...clusterAccess(client, namespace, clock),
    signing: () => signingGeneration(runtime()?.generations ?? [], clock.now()),
    trusted: () => (runtime()?.generations ?? []).map(({ pair }) => pair),
  });
  return {
    resource,
    origin: hash('sha256', JSON.stringify([resource.uid, resource.type, resource.backend]), 'base64url').slice(0, 16),
    definition,
    rateLimit,
    turnstile,
    breaker,
    backend: {
      ...backend,
      issue: (request, signal) =>
        toldTo(told, wake, () => timed(() => backend.issue(request, signal), definition.type, services)),
    },
    release: () => {
      turnstile?.close();
      for (const reference of used.values()) reference.release();
    },
    generations: [],
    clearSince: new Map(),
    refusals: 0,
    view: undefined,
  };
}

/** The request of a certificate, whose end tells how the authority is; `wake` has it looked at where that is news. */
async function toldTo<T>(breaker: Breaker | undefined, wake: () => void, ask: () => Promise<T>): Promise<T> {
  try {
    const answer = await ask();
    if (breaker?.answered()) wake();
    return answer;
  } catch (thrown) {
    if (thrown instanceof AuthorityError) {
      breaker?.failed(troubleOf(thrown), thrown.retryAfterMs);
      wake();
    } else if (thrown instanceof DeniedError && breaker?.answered()) wake();
    throw thrown;
  }
}

/** A look at the clock around the request of each certificate. */
async function timed<T>(ask: () => Promise<T>, type: string, { clock, metrics }: Services): Promise<T> {
  const startedMs = clock.monotonicMs();
  try {
    return await ask();
  } finally {
    metrics.authorityAnswered(type, (clock.monotonicMs() - startedMs) / 1000);
  }
}

/** A lost race is tried again; a Secret of that name which isn't ours never gives way by itself. */
async function foreignInTheWay(
  error: unknown,
  { metadata: { namespace, name, labels, resourceVersion } }: ReturnType<typeof generationManifest>,
  client: Services['client'],
): Promise<unknown> {
  if (!(error instanceof ApiError) || error.status !== 409 || resourceVersion !== CREATE_ONLY) return error;
  const found = await client.get(SECRETS, namespace, name);
  const theirs = found?.metadata?.labels ?? {};
  if (found === undefined || Object.entries(labels).every(([key, value]) => theirs[key] === value)) return error;
  return new AuthorityError(
    'SecretNotOwned',
    `Secret ${namespace}/${name} is in the way of the CA generation that is to be kept under this name; delete it`,
  );
}

/** What a CA rotation has to know of the certificates of an authority: those whose Secret is theirs. */
function members(key: string, { cluster }: Services): Member[] {
  return cluster.membersOf(key).flatMap((resource) => {
    const secret = cluster.secrets.get(secretKeyOf(resource));
    if (secret === undefined || !isOurs({ resource, secret })) return [];
    const { certificate, trustBundleHash } = secret;
    return {
      key: keyOf(resource),
      issuerFingerprint: certificate?.issuerFingerprint,
      notAfter: certificate?.notAfter,
      trustBundleHash,
    };
  });
}

/** The namespace in which an authority's references resolve and its CA generations are kept. */
function namespaceOf(resource: CertificateAuthority, { config }: Services): string {
  return resource.kind === 'CertificateAuthority' ? resource.namespace : config.controllerNamespace;
}

function cacheOf(kind: AuthorityKind, { cluster }: Services) {
  return kind === 'CertificateAuthority' ? cluster.authorities : cluster.clusterAuthorities;
}

function contentOf(object: RawObject, encoding: 'base64' | 'utf8'): SecretContent {
  return Object.fromEntries(
    Object.entries(object.data ?? {}).map(([key, value]) => [key, Buffer.from(value, encoding)]),
  );
}

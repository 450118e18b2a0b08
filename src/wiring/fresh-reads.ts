import { authorityResource, type CertificateAuthority } from '../api/certificate-authority.ts';
import type { ClientCertificate } from '../api/client-certificate.ts';
import { CERTIFICATE_APPROVALS, NAMESPACES, type Resource } from '../api/names.ts';
import { keyOf, type RawObject } from '../api/parse.ts';
import { type Decisive, type ObserveDeps, referredAuthority } from '../certificate/observe.ts';
import { classify, RetryableError } from '../errors.ts';
import type { Cache } from '../kube/cache/cache.ts';
import type { ListPage } from '../kube/object.ts';
import { oneNamed } from '../kube/one-named.ts';
import type { ListOptions } from '../kube/options.ts';
import type { Services } from './services.ts';
import { SharedReads } from './shared-reads.ts';

/** A worker waits for it. */
const LONGEST_READ_MS = 5_000;
/** Of one namespace; more are not read, and then none of them counts. */
const MOST_APPROVALS = 1_000;

type Deps = Pick<Services, 'client' | 'cluster'>;
type Written = Pick<Cache<unknown>, 'put' | 'absent'>;

/** Reads of what decides whether a request is permitted, for the time in which its watch is behind. */
export function freshReads(deps: Deps): Pick<ObserveDeps, 'isBehind' | 'readPast'> {
  const { cluster } = deps;
  const reads = new SharedReads<void>();
  return {
    isBehind: (what, resource) => cluster.isBehind(resourceOf(what, resource), resource.namespace),
    readPast: (what, resource) => reads.get(idOf(what, resource), () => READS[what](resource, deps)),
  };
}

function idOf(what: Decisive, resource: ClientCertificate): string {
  const { namespace, uid } = resource;
  if (what === 'authority') return referredAuthority(resource);
  return what === 'labels' ? `${what} ${namespace}` : `${what} ${namespace}/${uid}`;
}

const READS: Readonly<Record<Decisive, (resource: ClientCertificate, deps: Deps) => Promise<void>>> = {
  authority: ({ namespace, spec: { authorityRef } }, deps) => {
    const { kind, name } = authorityRef;
    return readAuthority({ kind, name, namespace: kind === 'ClusterCertificateAuthority' ? '' : namespace }, deps);
  },
  labels: ({ namespace }, { client, cluster }) =>
    readOne(client, NAMESPACES, { namespace: '', name: namespace }, cluster.namespaces),
  approvals: readApprovals,
};

function resourceOf(what: Decisive, { spec }: ClientCertificate): Resource {
  if (what === 'authority') return authorityResource(spec.authorityRef.kind);
  return what === 'labels' ? NAMESPACES : CERTIFICATE_APPROVALS;
}

/** Reads an authority past its watch, into the cache. Rejects with a RetryableError. */
export function readAuthority(
  authority: Pick<CertificateAuthority, 'kind' | 'namespace' | 'name'>,
  { client, cluster }: Deps,
): Promise<void> {
  const { kind } = authority;
  const cache = kind === 'ClusterCertificateAuthority' ? cluster.clusterAuthorities : cluster.authorities;
  return readOne(client, authorityResource(kind), authority, cache);
}

async function readApprovals({ namespace, uid }: ClientCertificate, { client, cluster }: Deps): Promise<void> {
  const found = await read(client, CERTIFICATE_APPROVALS, { namespace, limit: MOST_APPROVALS });
  if (found.metadata.continue) throw unreadable(CERTIFICATE_APPROVALS, `there are more than ${MOST_APPROVALS}`);
  const present = new Set(found.items.flatMap(({ metadata = {} }) => keyOf({ namespace, name: metadata.name ?? '' })));
  const gone = cluster.approvals.keysByIndex('certificate', uid).filter((key) => !present.has(key));
  take(found, gone, cluster.approvals);
}

async function readOne(
  client: Deps['client'],
  resource: Resource,
  object: { readonly namespace: string; readonly name: string },
  cache: Written,
): Promise<void> {
  const { namespace, name } = object;
  const selection = { namespace: namespace || undefined, ...oneNamed(name) };
  const found = await read(client, resource, selection);
  take(found, found.items.length === 0 ? [keyOf(object)] : [], cache);
}

/** Into the cache, so that the next run finds it, and does not try again what can't be. */
function take({ items, metadata }: ListPage<RawObject>, gone: readonly string[], cache: Written): void {
  for (const each of items) cache.put(each);
  for (const key of gone) cache.absent(key, metadata.resourceVersion);
}

function read(client: Deps['client'], resource: Resource, selection: ListOptions): Promise<ListPage<RawObject>> {
  return client.list(resource, { ...selection, timeoutMs: LONGEST_READ_MS }).catch((error: unknown) => {
    throw unreadable(resource, classify(error).message, error);
  });
}

function unreadable({ plural }: Resource, why: string, cause?: unknown): RetryableError {
  const message = `${plural} can't be read and their watch may be behind, so nothing is signed and no CA is removed: ${why}`;
  return new RetryableError('AuthorityNotReady', message, { cause });
}

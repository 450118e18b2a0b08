import { authorityResource } from '../api/certificate-authority.ts';
import type { ClientCertificate } from '../api/client-certificate.ts';
import { CERTIFICATE_APPROVALS, NAMESPACES, type Resource } from '../api/names.ts';
import type { RawObject } from '../api/parse.ts';
import { type Decisive, type Fresh, type ObserveDeps, referredAuthority } from '../certificate/observe.ts';
import { classify, RetryableError } from '../errors.ts';
import type { ListOptions } from '../kube/options.ts';
import type { Services } from './services.ts';

/** A worker waits for it. */
const LONGEST_READ_MS = 5_000;
/** More decisions than a namespace needs; so many take some 3 MB. */
const MOST_APPROVALS = 1_000;

type Deps = Pick<Services, 'client' | 'cluster'>;

/** Reads past the caches of what decides whether a request is permitted, for the time in which a watch is behind. */
export function freshReads(deps: Deps): Pick<ObserveDeps, 'isBehind' | 'readPast'> {
  const { cluster } = deps;
  return {
    isBehind: (what, resource) => cluster.isBehind(resourceOf(what, resource), resource.namespace),
    readPast: (what, resource) => READS[what](resource, deps),
  };
}

const READS: Readonly<Record<Decisive, (resource: ClientCertificate, deps: Deps) => Promise<Fresh>>> = {
  authority: readAuthority,
  labels: readLabels,
  approvals: readApprovals,
};

function resourceOf(what: Decisive, { spec }: ClientCertificate): Resource {
  if (what === 'authority') return authorityResource(spec.authorityRef.kind);
  return what === 'labels' ? NAMESPACES : CERTIFICATE_APPROVALS;
}

async function readAuthority(resource: ClientCertificate, { client, cluster }: Deps): Promise<Fresh> {
  const { namespace, spec } = resource;
  const { kind, name } = spec.authorityRef;
  const isClusterKind = kind === 'ClusterCertificateAuthority';
  const found = await readOne(client, authorityResource(kind), isClusterKind ? undefined : namespace, name);
  if (found === undefined) return { authority: () => undefined };
  (isClusterKind ? cluster.clusterAuthorities : cluster.authorities).put(found);
  const present = cluster.authority(referredAuthority(resource));
  return { authority: () => present };
}

async function readLabels({ namespace }: ClientCertificate, { client, cluster }: Deps): Promise<Fresh> {
  const found = await readOne(client, NAMESPACES, undefined, namespace);
  if (found === undefined) return { namespaceLabels: () => undefined };
  cluster.namespaces.put(found);
  const labels = found.metadata?.labels ?? {};
  return { namespaceLabels: () => labels };
}

async function readApprovals({ namespace }: ClientCertificate, { client, cluster }: Deps): Promise<Fresh> {
  const page = await read(
    client,
    CERTIFICATE_APPROVALS,
    { namespace, limit: MOST_APPROVALS },
    `of namespace ${namespace}`,
  );
  if (page.metadata?.continue) return { approvals: () => 'leftOut' };
  const present = new Set(page.items.map(({ metadata }) => metadata?.uid));
  for (const each of page.items) cluster.approvals.put(each);
  return {
    approvals: (resource) => {
      const kept = cluster.decisionsOn(resource);
      // One that was deleted may still be in the cache.
      return kept === 'leftOut' ? kept : kept.filter(({ uid }) => present.has(uid));
    },
  };
}

/** By a list of one, since that needs no right beyond those for watching. */
async function readOne(
  client: Deps['client'],
  resource: Resource,
  namespace: string | undefined,
  name: string,
): Promise<RawObject | undefined> {
  const selection = { namespace, fieldSelector: `metadata.name=${name}`, limit: 1 };
  return (await read(client, resource, selection, name)).items[0];
}

function read(client: Deps['client'], resource: Resource, selection: ListOptions, which: string) {
  return client.list(resource, { ...selection, timeoutMs: LONGEST_READ_MS }).catch((error: unknown) => {
    throw new RetryableError(
      'AuthorityNotReady',
      `the watch of ${resource.plural} is behind, and what the issuance goes by, ${resource.plural} ${which}, can't be read: ${classify(error).message}`,
      { cause: error },
    );
  });
}

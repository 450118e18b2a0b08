import * as names from '../api/names.ts';
import type { Clock } from '../clock.ts';
import type { Config } from '../config.ts';
import { ApiError, NO_CREDENTIALS } from '../errors.ts';
import type { KubeClient } from '../kube/client.ts';
import type { Logger } from '../log.ts';
import { StartError } from '../start-error.ts';
import { problemWithSchemas } from './crd-schemas.ts';

/** Kinds of ours that a controller of single namespaces serves. */
const NAMESPACED_KINDS = [names.CLIENT_CERTIFICATES, names.CERTIFICATE_AUTHORITIES];

/**
 * Finds out before anything runs whether it can: the API server answers, the CRDs are there and have our fields, the roles suffice. Throws
 * StartError, one line with the remedy. Answers the namespaces that can't be served for now.
 */
export async function preflight(
  client: KubeClient,
  config: Config,
  log: Logger,
  clock: Clock,
): Promise<ReadonlySet<string>> {
  const version = await client.version({ timeoutMs: 10_000 }).catch((error: ApiError) => {
    // What is wrong with the credentials is reported where they are read.
    if (error.reason === NO_CREDENTIALS) throw new StartError(error.message);
    throw new StartError(`the API server can't be reached: ${error.message}; check --kubeconfig and the network`);
  });
  log.info('API server reached', { version });
  if (config.namespaces === undefined) {
    const kinds = [...NAMESPACED_KINDS, names.CLUSTER_CERTIFICATE_AUTHORITIES];
    for (const resource of [...kinds, names.NAMESPACES]) refuse(await problemWith(client, resource, undefined));
    refuse(await problemWith(client, names.SECRETS, undefined, names.CERTIFICATE_NAME_LABEL));
    refuse(await problemWithSchemas(client, kinds, log, clock));
    return new Set();
  }
  const unreadable = await preflightNamespaces(client, config.namespaces, log);
  if (config.clusterAuthorities) await preflightClusterAuthorities(client, config.controllerNamespace, unreadable);
  const kinds = config.clusterAuthorities
    ? [...NAMESPACED_KINDS, names.CLUSTER_CERTIFICATE_AUTHORITIES]
    : NAMESPACED_KINDS;
  refuse(await problemWithSchemas(client, kinds, log, clock));
  return unreadable;
}

/** One namespace that can't be served is a matter for the log; that none can, for the exit code. */
async function preflightNamespaces(
  client: KubeClient,
  namespaces: readonly string[],
  log: Logger,
): Promise<Set<string>> {
  const problems = await Promise.all(
    namespaces.map(
      async (namespace) =>
        (await problemWith(client, names.CLIENT_CERTIFICATES, namespace)) ??
        (await problemWith(client, names.CERTIFICATE_AUTHORITIES, namespace)) ??
        problemWith(client, names.SECRETS, namespace, names.CERTIFICATE_NAME_LABEL),
    ),
  );
  if (problems.every((problem) => problem !== undefined)) refuse(problems[0]);
  problems.forEach((problem, index) => {
    if (problem !== undefined) log.error('a namespace is not served', { namespace: namespaces[index], problem });
  });
  return new Set(namespaces.filter((_, index) => problems[index] !== undefined));
}

/** Without these rights --cluster-authorities would promise what never comes. */
async function preflightClusterAuthorities(
  client: KubeClient,
  controllerNamespace: string,
  unreadable: ReadonlySet<string>,
): Promise<void> {
  const otherwise = 'leave out --cluster-authorities';
  // No start waits for the CA generations of such a namespace, and an authority that is seen before its own gets a new CA.
  if (unreadable.has(controllerNamespace))
    refuse(
      `namespace ${controllerNamespace}, where the CA keys of ClusterCertificateAuthorities are, can't be served; install the chart's Role in it, take it out of --namespaces, or ${otherwise}`,
    );
  refuse(await problemWith(client, names.CLUSTER_CERTIFICATE_AUTHORITIES, undefined, undefined, otherwise));
  refuse(await problemWith(client, names.SECRETS, controllerNamespace, names.AUTHORITY_NAME_LABEL, otherwise));
}

async function problemWith(
  client: KubeClient,
  resource: names.Resource,
  namespace: string | undefined,
  labelSelector?: string,
  otherwise = 'narrow --namespaces',
): Promise<string | undefined> {
  try {
    await client.list(resource, { namespace, labelSelector, limit: 1, timeoutMs: 10_000 });
    return undefined;
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    const what = resource.group === '' ? resource.plural : `${resource.plural}.${resource.group}`;
    switch (error.status) {
      case 404:
        return `the CRD ${what} is not installed; run: kubectl apply --server-side -f crds/`;
      case 401:
        return `the API server does not accept our credentials; check --kubeconfig`;
      case 403:
        return `${error.message}; install the chart's ${namespace === undefined ? 'ClusterRole' : `Role in namespace ${namespace}`}, or ${otherwise}`;
      default:
        return `${what} can't be listed: ${error.message}`;
    }
  }
}

function refuse(problem: string | undefined): void {
  if (problem !== undefined) throw new StartError(problem);
}

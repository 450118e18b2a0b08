import { NAMESPACES } from '../api/names.ts';
import { classify, RetryableError } from '../errors.ts';
import type { NamespaceLabels } from './cluster.ts';
import type { Services } from './services.ts';

/** A worker waits for it. */
const LONGEST_READ_MS = 5_000;

/** The labels of a namespace past the cache, and into it; undefined where there is no such namespace. */
export async function readLabels(
  name: string,
  { client, cluster }: Pick<Services, 'client' | 'cluster'>,
): Promise<NamespaceLabels | undefined> {
  // A list of one, since that needs no right beyond those for watching.
  const selection = { fieldSelector: `metadata.name=${name}`, limit: 1, timeoutMs: LONGEST_READ_MS };
  const found = await client.list(NAMESPACES, selection).catch((error: unknown) => {
    throw new RetryableError(
      'AuthorityNotReady',
      `the authority goes by the labels of namespace ${name}; the watch of namespaces is behind, and the namespace can't be read: ${classify(error).message}`,
      { cause: error },
    );
  });
  const [namespace] = found.items;
  if (namespace === undefined) return undefined;
  cluster.namespaces.put(namespace);
  return namespace.metadata?.labels ?? {};
}

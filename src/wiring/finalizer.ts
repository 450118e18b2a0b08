import { REVOCATION_FINALIZER } from '../api/books-names.ts';
import type { BrokenClientCertificate, ClientCertificate } from '../api/client-certificate.ts';
import { CLIENT_CERTIFICATES } from '../api/names.ts';
import { ApiError, RetryableError } from '../errors.ts';
import type { Services } from './services.ts';

/**
 * Sets the finalizer of a ClientCertificate, or removes it. Removed by its place in the list, since server-side apply takes away only
 * what no other manager owns, such as after a restore from a backup. Throws a RetryableError Conflict where the list is another.
 */
export async function writeFinalizer(
  resource: ClientCertificate | BrokenClientCertificate,
  isHeld: boolean,
  { client, cluster }: Pick<Services, 'client' | 'cluster'>,
): Promise<void> {
  const { namespace, name, uid, resourceVersion, revocationHold } = resource;
  if (isHeld) {
    const metadata = { namespace, name, uid, resourceVersion, finalizers: [REVOCATION_FINALIZER] };
    const stored = await client.apply(CLIENT_CERTIFICATES, { metadata });
    cluster.certificates.put(stored, resourceVersion);
    return;
  }
  const path = `/metadata/finalizers/${revocationHold ?? 0}`;
  try {
    const stored = await client.patch(CLIENT_CERTIFICATES, { namespace, name }, [
      { op: 'test', path: '/metadata/uid', value: uid },
      { op: 'test', path, value: REVOCATION_FINALIZER },
      { op: 'remove', path },
    ]);
    const isLeft = stored !== undefined && stored.metadata?.deletionTimestamp === undefined;
    if (isLeft) cluster.certificates.put(stored, resourceVersion);
  } catch (error) {
    if (error instanceof ApiError && error.status === 422)
      throw new RetryableError('Conflict', 'the finalizers of the ClientCertificate are others by now');
    throw error;
  }
}

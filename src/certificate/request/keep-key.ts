import type { KeyObject } from 'node:crypto';
import type { ClientCertificate } from '../../api/client-certificate.ts';
import * as names from '../../api/names.ts';
import { keyOf, type RawObject } from '../../api/parse.ts';
import type { Issued } from '../../backends/backend.ts';
import { ApiError, RetryableError, TerminalError } from '../../errors.ts';
import type { Observed } from '../observed.ts';
import { occupation } from '../secret/protection.ts';
import type { RequestDeps } from './deps.ts';
import { type NextContent, type NextKey, nextName, viewNextKey } from './next-key.ts';
import { nextManifest } from './next-manifest.ts';

/**
 * Writes the Secret that keeps the key of a request under way, in place of `current`; without `key` the request alone. With
 * `issued` also what came of it.
 */
export async function storeKey(
  { resource, issuedBy }: Observed,
  content: NextContent,
  key: KeyObject | undefined,
  current: NextKey | undefined,
  deps: RequestDeps,
  issued?: Issued,
): Promise<NextKey> {
  deps.ownership.assert(keyOf(resource));
  try {
    return await deps.nextKeys.apply(nextManifest(resource, content, key, current, issued, issuedBy));
  } catch (error) {
    if (!(error instanceof ApiError) || error.status !== 409 || current !== undefined) throw error;
    const name = nextName(resource.name);
    const found = await deps.nextKeys.read(resource.namespace, name);
    // Another replica was faster, or the cache is behind: the next look knows more.
    if (found === undefined) throw error;
    if (found.metadata?.deletionTimestamp !== undefined) throw heldError(found);
    if (viewNextKey(found).certificateName === resource.name) throw error;
    if (isOwnedBy(found, resource)) {
      // It lost a mark, so that its request can't be found again.
      await deps.nextKeys.delete({ ...viewNextKey(found), certificateName: resource.name }).catch((refused) => {
        throw refused instanceof ApiError && refused.status === 403 ? unmarkedError(found, refused) : refused;
      });
      throw error;
    }
    throw new TerminalError(
      'SecretNotOwned',
      `Certwheel keeps the key of this ClientCertificate in Secret ${name} while its authority answers, and that Secret ${occupation(found, deps.purposeOf(found)) ?? "isn't Certwheel's"}; create this ClientCertificate anew under another name`,
      { cause: error },
    );
  }
}

/** By its label and by its owner reference, which Certwheel wrote too. */
function isOwnedBy({ metadata = {} }: RawObject, { name, uid }: ClientCertificate): boolean {
  const { labels = {}, ownerReferences = [] } = metadata;
  return labels[names.NEXT_OF_LABEL] === name && ownerReferences.some((owner) => owner.uid === uid);
}

/** The policy of the chart lets the controller delete nothing that lacks a mark. */
function unmarkedError({ metadata = {} }: RawObject, cause: ApiError): RetryableError {
  const { namespace, name } = metadata;
  return new RetryableError(
    'SecretRefused',
    `Secret ${name}, which is to keep the key while the authority answers, has lost the annotation ${names.CERTIFICATE_UID_ANNOTATION}, and Certwheel may not delete it (${cause.message}); delete it: kubectl delete secret -n ${namespace} ${name}`,
    { cause },
  );
}

function heldError({ metadata = {} }: RawObject): RetryableError {
  const { name, finalizers = [] } = metadata;
  return new RetryableError(
    'SecretRefused',
    `Secret ${name}, which is to keep the key while the authority answers, is being deleted and is held by the finalizers ${finalizers.join(', ')}; the controllers that set them have to remove them`,
  );
}

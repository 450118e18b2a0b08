import type { CertificateAuthority } from '../api/certificate-authority.ts';
import { SECRETS } from '../api/names.ts';
import type { RawObject } from '../api/parse.ts';
import { stateSecretOf } from '../authority/state-secret.ts';
import { namesItself, OWN_UID, withOwnUid } from '../authority/texts-secret.ts';
import type { BackendState, KeptState } from '../backends/backend-state.ts';
import { AuthorityError } from '../errors.ts';
import type { KubeClient } from '../kube/client.ts';
import { applyUnaltered } from './secret-access.ts';

/**
 * What a backend keeps beside its authority, in a Secret of that authority's namespace. `assertOwned` throws where another
 * replica has the authority.
 */
export function backendState(
  resource: CertificateAuthority,
  namespace: string,
  client: Pick<KubeClient, 'apply' | 'get'>,
  assertOwned: () => void,
): BackendState {
  const { secret, what, mayBeRestored } = stateSecretOf(resource.type);
  const name = secret.nameOf(resource);
  const place = `${namespace}/${name}`;
  const keptOf = (object: RawObject): KeptState => {
    const { data = {}, metadata = {} } = object;
    const { [OWN_UID]: _, ...content } = Object.fromEntries(
      Object.entries(data).map(([key, text]) => [key, Buffer.from(text, 'base64')]),
    );
    return {
      data: mayBeRestored || namesItself(object) ? content : {},
      place,
      uid: metadata.uid,
      resourceVersion: metadata.resourceVersion,
    };
  };
  const apply = (manifest: ReturnType<typeof secret.blank>): Promise<RawObject> => {
    assertOwned();
    return applyUnaltered(client, manifest);
  };
  return {
    read: async () => {
      const found = await client.get(SECRETS, namespace, name);
      if (found === undefined) return undefined;
      if (!secret.isOf(found, resource))
        throw new AuthorityError(
          'SecretNotOwned',
          `${what} is to be kept in Secret ${place}, and that Secret isn't Certwheel's; move its content to another name if something uses it, or create this authority anew under another name`,
        );
      return keptOf(found);
    },
    write: async (data, previous) => {
      const before = previous && { metadata: { uid: previous.uid, resourceVersion: previous.resourceVersion } };
      const current = before ?? (mayBeRestored ? undefined : await apply(secret.blank(resource, namespace)));
      const texts = new Map(Object.entries(data).map(([key, value]) => [key, value.toString('utf8')]));
      const isMarked = !mayBeRestored && current !== undefined && texts.size > 0;
      const marked = isMarked ? withOwnUid(texts, current) : texts;
      return keptOf(await apply(secret.manifest(resource, namespace, marked, current)));
    },
  };
}

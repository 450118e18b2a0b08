import { type Resource, SERVICE_ACCOUNTS } from '../api/names.ts';
import type { BackendDeps, NewObject } from '../backends/backend-deps.ts';
import { AuthorityError } from '../errors.ts';
import type { KubeClient } from '../kube/client.ts';

interface TokenReply {
  readonly status?: { readonly token?: string };
}

/**
 * What an authority may ask of the Kubernetes API, in its own namespace and among what has none. `assertOwned` throws where another
 * replica has the authority: it is called before each write, since a backend makes several requests for one certificate, and
 * the process may have stood still between two of them.
 */
export function clusterAccess(
  client: Pick<KubeClient, 'apply' | 'audiences' | 'canI' | 'create' | 'delete' | 'get'>,
  namespace: string,
  assertOwned: () => void,
): Pick<BackendDeps, 'objects' | 'serviceAccountToken'> {
  const namespaceFor = ({ namespaced }: Resource) => (namespaced ? namespace : undefined);
  /** What has no namespace must not be sent with one. */
  const inside = ({ namespaced }: Resource) => (namespaced ? { namespace } : {});
  const placed = (resource: Resource, object: NewObject) => ({
    ...object,
    metadata: { ...object.metadata, ...inside(resource) },
  });
  return {
    serviceAccountToken: async (name, audience, seconds) => {
      // It is sent to a server that the authority names, and would be good for more than a login there.
      if ((await client.audiences()).includes(audience))
        throw new AuthorityError(
          'AuthorityMisconfigured',
          `audience ${audience} is that of the Kubernetes API itself: choose another, such as vault, here and on the server`,
        );
      const request = {
        apiVersion: 'authentication.k8s.io/v1',
        kind: 'TokenRequest',
        metadata: { name, namespace },
        spec: { audiences: [audience], expirationSeconds: seconds },
      };
      const { status } = await client.create<TokenReply>(SERVICE_ACCOUNTS, request, { subresource: 'token' });
      return status?.token ?? '';
    },
    objects: {
      namespace,
      get: (resource, name) => client.get(resource, namespaceFor(resource), name),
      create: async (resource, object) => {
        assertOwned();
        return client.create(resource, placed(resource, object));
      },
      apply: async (resource, object) => {
        assertOwned();
        return client.apply(resource, placed(resource, object));
      },
      applySubresource: async (resource, subresource, object) => {
        assertOwned();
        return client.apply(resource, placed(resource, object), { subresource });
      },
      delete: async (resource, name, preconditions) => {
        assertOwned();
        await client.delete(resource, namespaceFor(resource), name, preconditions);
      },
      allowed: (access) => client.canI({ ...access, ...inside(access.resource) }),
    },
  };
}

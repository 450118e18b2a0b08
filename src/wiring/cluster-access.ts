import { type Resource, SERVICE_ACCOUNTS } from '../api/names.ts';
import type { BackendDeps, NewObject } from '../backends/backend.ts';
import { AuthorityError } from '../errors.ts';
import type { KubeClient } from '../kube/client.ts';

interface TokenReply {
  readonly status?: { readonly token?: string };
}

/** What an authority may ask of the Kubernetes API, in its own namespace and among what has none. */
export function clusterAccess(
  client: Pick<KubeClient, 'apply' | 'audiences' | 'canI' | 'create' | 'delete' | 'get'>,
  namespace: string,
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
      create: (resource, object) => client.create(resource, placed(resource, object)),
      applySubresource: (resource, subresource, object) =>
        client.apply(resource, placed(resource, object), { subresource }),
      delete: async (resource, name) => void (await client.delete(resource, namespaceFor(resource), name)),
      allowed: (access) => client.canI({ ...access, ...inside(access.resource) }),
    },
  };
}

import { ApiError, AuthorityError } from '../../errors.ts';
import type { BackendDeps } from '../backend-deps.ts';

/** As long as the API server issues tokens for at least; it is used at once. */
const TOKEN_SECONDS = 600;

/** A token of a ServiceAccount of the authority's own namespace. Throws an AuthorityError that says which right is missing. */
export async function tokenOf(
  name: string,
  audience: string,
  deps: Pick<BackendDeps, 'objects' | 'serviceAccountToken'>,
): Promise<string> {
  const { namespace } = deps.objects;
  try {
    return await deps.serviceAccountToken(name, audience, TOKEN_SECONDS);
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    if (error.status === 404)
      throw new AuthorityError(
        'CredentialsNotFound',
        `there is no ServiceAccount ${name} in namespace ${namespace}; make it with: kubectl create serviceaccount -n ${namespace} ${name}`,
      );
    if (error.status !== 403) throw error;
    throw new AuthorityError(
      'BackendForbidden',
      `Certwheel may not make a token of ServiceAccount ${namespace}/${name}: give its account create on serviceaccounts/token of that name by a Role`,
    );
  }
}

import { ApiError, AuthorityError, DeniedError } from '../../errors.ts';

/** Says of a request to the Kubernetes API what it means for who waits for a certificate. */
export async function telling<T>(what: string, work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    throw meaningOf(error, what);
  }
}

function meaningOf(error: unknown, what: string): unknown {
  if (!(error instanceof ApiError)) return error;
  const message = `${what}: ${error.message}`;
  switch (error.status) {
    case 403:
      // Only a missing role is told so; what else answers 403 is a policy or a quota.
      return error.message.includes('cannot')
        ? new AuthorityError('BackendForbidden', message, { cause: error })
        : new DeniedError('RequestDenied', message, { cause: error });
    case 400:
    case 422:
      return new DeniedError('RequestDenied', message, { cause: error });
    case 404:
      return new AuthorityError('IssuerNotReady', `${message}; is it installed?`, { cause: error });
    default:
      return error;
  }
}

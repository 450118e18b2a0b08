import type { Resource } from '../../api/names.ts';
import { ApiError, AuthorityError, DeniedError, lacksRole } from '../../errors.ts';
import type { KubernetesObjects } from '../backend-deps.ts';

/** What the failure of a request to the Kubernetes API means for the certificate that waits for it. */
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
      return lacksRole(error)
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

/** Throws unless Certwheel may make such objects: `type` is the kind of authority that needs them. */
export async function refuseWithoutCreate(type: string, resource: Resource, objects: KubernetesObjects): Promise<void> {
  if (await objects.allowed({ verb: 'create', resource })) return;
  const place = resource.namespaced ? ` in namespace ${objects.namespace}` : '';
  throw forbidden(
    `create ${resource.plural}.${resource.group}${place}`,
    `the chart gives that where its value controller.authorities lists ${type}`,
  );
}

/** Certwheel lacks a right; `remedy` is what gives it. */
export function forbidden(what: string, remedy: string): AuthorityError {
  return new AuthorityError('BackendForbidden', `Certwheel may not ${what}; ${remedy}`);
}

import { ApiError, lacksRole } from '../errors.ts';
import { messageOf } from '../thrown.ts';

/** What the log says of a request for a Lease that failed: why, and what to do where the API server refuses it. */
export function leaseFailure(error: unknown, namespace: string): { readonly error: string; readonly remedy?: string } {
  const why = { error: messageOf(error) };
  if (!(error instanceof ApiError) || error.status !== 403) return why;
  const remedy = lacksRole(error)
    ? `grant get, create and patch on leases in the namespace ${namespace}`
    : `have the quota or policy that refuses it admit leases in the namespace ${namespace}`;
  return { ...why, remedy };
}

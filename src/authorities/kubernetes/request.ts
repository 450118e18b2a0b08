import type { Resource } from '../../api/names.ts';
import type { RawObject } from '../../api/parse.ts';
import { ApiError, RetryableError } from '../../errors.ts';
import type { CertificateView } from '../../pki/certificate.ts';
import type { IssueRequest, KubernetesObjects, NewObject } from '../authority.ts';
import { readCertificates } from '../read-certificates.ts';
import { telling } from './problems.ts';
import { requestName } from './request-object.ts';

/**
 * The object that stands for a request: made now, or before a crash, or by another replica. With a ticket it has been
 * made, so it is only looked for. `place` says where it is, for messages.
 */
export async function requestObject(
  resource: Resource,
  { id, ticket }: IssueRequest,
  object: () => NewObject,
  place: string,
  objects: KubernetesObjects,
): Promise<RawObject> {
  const name = requestName(id);
  const made = ticket === undefined ? await make(resource, object(), place, objects) : undefined;
  const found = made ?? (await telling(`${resource.kind} ${name}`, objects.get(resource, name)));
  if (found === undefined)
    throw new RetryableError('RequestFailed', `${resource.kind} ${name} is gone; somebody removed it`);
  return found;
}

/** Undefined where there is one of that name already. */
async function make(
  resource: Resource,
  object: NewObject,
  place: string,
  objects: KubernetesObjects,
): Promise<RawObject | undefined> {
  try {
    return await telling(`${resource.kind} ${place}`, objects.create(resource, object));
  } catch (error) {
    if (!(error instanceof ApiError) || error.status !== 409) throw error;
    return undefined;
  }
}

/** PEM in base64, as both APIs answer; `problem` is said where it is none. */
export function certificatesIn(base64: string, problem: string): readonly CertificateView[] {
  try {
    return readCertificates([Buffer.from(base64, 'base64').toString('latin1')]);
  } catch (error) {
    throw new RetryableError('RequestFailed', `${problem}: ${(error as Error).message}`);
  }
}

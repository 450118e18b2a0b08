import type { Resource } from '../../api/names.ts';
import type { RawObject } from '../../api/parse.ts';
import { ApiError, RetryableError } from '../../errors.ts';
import type { CertificateView } from '../../pki/certificate.ts';
import type { IssueRequest } from '../backend.ts';
import type { BackendDeps, KubernetesObjects, NewObject } from '../backend-deps.ts';
import { readCertificates } from '../shared/read-certificates.ts';
import { telling } from './problems.ts';
import { asksTheSame, type RequestKey, requestName } from './request-object.ts';

/** The object of an API that stands for a request. */
export interface RequestForm {
  readonly resource: Resource;
  /** Where it is, for messages. */
  readonly place: string;
  object(): NewObject;
  /** Whether the `spec` of one that was found asks for what ours does, but for the PKCS#10 in it. */
  hasOurTerms(spec: Readonly<Record<string, unknown>>): boolean;
}

/**
 * The object that stands for a request: made now, or before a crash, or by another replica. With a ticket it has been
 * made, so it is only looked for.
 */
export async function requestObject(
  { resource, place, object, hasOurTerms }: RequestForm,
  request: IssueRequest,
  objects: KubernetesObjects,
): Promise<RawObject> {
  const name = requestName(request);
  const made = request.ticket === undefined ? await make(resource, object(), place, objects) : undefined;
  if (made !== undefined) return made;
  const found = await telling(`${resource.kind} ${name}`, objects.get(resource, name));
  if (found === undefined)
    throw new RetryableError('RequestFailed', `${resource.kind} ${name} was deleted before it was answered`);
  // An author of such objects can put another one in its place, for a longer life or to another issuer.
  const spec = (found.spec ?? {}) as Readonly<Record<string, unknown>>;
  if (!asksTheSame(spec.request, request) || !hasOurTerms(spec))
    throw new RetryableError('RequestFailed', `${resource.kind} ${name} does not ask for what was asked for`);
  return found;
}

/**
 * Removes the object that stands for a request. Where that is forbidden, it is another program's object of the same name, or a
 * right is missing; neither may stand in the way of the next request.
 */
export async function removeRequest(
  resource: Resource,
  request: RequestKey,
  { objects, log, name: authority }: BackendDeps,
): Promise<void> {
  const name = requestName(request);
  try {
    await objects.delete(resource, name);
  } catch (error) {
    if (!(error instanceof ApiError) || error.status !== 403) throw error;
    log.warn('a request stays, since it may not be removed', { authority, request: name, error: error.message });
  }
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
  const pem = Buffer.from(base64, 'base64').toString('latin1');
  return readCertificates([pem], (why) => new RetryableError('RequestFailed', `${problem}: ${why}`));
}

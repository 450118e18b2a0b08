import type { RawObject } from '../../api/parse.ts';
import { DeniedError } from '../../errors.ts';
import type { IssueRequest, Pending } from '../backend.ts';
import type { BackendDeps } from '../backend-deps.ts';
import { trueCondition, wordsOf } from './conditions.ts';
import { pollAfterMs } from './polling.ts';
import { type RequestForm, requestObject } from './request.ts';
import { requestName } from './request-object.ts';

/** How far a request has come. */
interface RequestState {
  readonly found: RawObject;
  readonly name: string;
  /** Kind and name of the object, for messages. */
  readonly what: string;
  readonly isApproved: boolean;
  /** `status.certificate`: PEM in base64, or empty. */
  readonly certificate: string | undefined;
  pending(message: string): Pending;
}

/**
 * Creates or finds the object of a request, and reads its state. Throws DeniedError if one of the conditions in `refusals`
 * is true.
 */
export async function requestState(
  form: RequestForm,
  refusals: readonly string[],
  request: IssueRequest,
  { objects, clock }: Pick<BackendDeps, 'objects' | 'clock'>,
): Promise<RequestState> {
  const { kind, namespaced } = form.resource;
  const name = requestName(request);
  const what = `${kind} ${namespaced ? `${objects.namespace}/` : ''}${name}`;
  const found = await requestObject(form, request, objects);
  const [refused] = refusals.flatMap((type) => trueCondition(found, type) ?? []);
  if (refused !== undefined) throw new DeniedError('RequestDenied', `${what} was denied: ${wordsOf(refused)}`);
  const { certificate } = (found.status ?? {}) as { certificate?: string };
  return {
    found,
    name,
    what,
    isApproved: trueCondition(found, 'Approved') !== undefined,
    certificate,
    pending: (message) => ({ ticket: request.id, pollAfterMs: pollAfterMs(found, clock.now()), message }),
  };
}

import type { Clock } from '../clock.ts';
import { ApiError } from '../errors.ts';
import { clampRetryAfter, parseRetryAfter, withoutSecrets } from '../foreign-text.ts';
import type { HttpAnswer } from './http.ts';
import type { Status } from './object.ts';

/** The body of a success; an answer that is no JSON leaves open what happened, so its status is 0. */
export function parseBody<T>(answer: HttpAnswer): T {
  try {
    return JSON.parse(answer.body) as T;
  } catch {
    throw new ApiError(0, 'InvalidAnswer', `the answer (HTTP ${answer.status}) is no JSON`);
  }
}

/** Turns a refusal into an error that holds the message of the Status and nothing else of the answer. */
export function refusal(answer: HttpAnswer, clock: Clock, resource?: string): ApiError {
  const retryAfterMs = parseRetryAfter(answer.retryAfter, clock);
  return statusError(readStatus(answer.body), answer.status, { retryAfterMs, resource });
}

/** The error that a Status stands for, be it the body of an answer or an ERROR inside a watch. */
export function statusError(
  status: Status | undefined,
  code: number,
  {
    retryAfterMs,
    resource,
  }: { readonly retryAfterMs?: number | undefined; readonly resource?: string | undefined } = {},
): ApiError {
  const seconds = status?.details?.retryAfterSeconds;
  const asked =
    retryAfterMs ?? (typeof seconds === 'number' && seconds > 0 ? clampRetryAfter(seconds * 1_000) : undefined);
  const message = typeof status?.message === 'string' && status.message !== '' ? status.message : `HTTP ${code}`;
  return new ApiError(
    code,
    typeof status?.reason === 'string' && status.reason !== '' ? status.reason : 'Unknown',
    withoutSecrets(message),
    { retryAfterMs: asked, resource },
  );
}

/** A proxy in between answers with HTML or nothing at all. */
function readStatus(body: string): Status | undefined {
  try {
    const parsed: unknown = JSON.parse(body);
    return typeof parsed === 'object' && parsed !== null ? (parsed as Status) : undefined;
  } catch {
    return undefined;
  }
}

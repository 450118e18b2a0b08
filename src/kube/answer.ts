import type { Clock } from '../clock.ts';
import { ApiError } from '../errors.ts';
import type { HttpAnswer } from './http.ts';
import type { Status } from './object.ts';

const LONGEST_MESSAGE = 1_024;
/** Someone who says "come back in a year" by mistake mustn't stop us for good. */
const LONGEST_RETRY_AFTER_MS = 3_600_000;

/** The body of a success; an answer that is no JSON leaves open what happened, so its status is 0. */
export function parseBody<T>(answer: HttpAnswer): T {
  try {
    return JSON.parse(answer.body) as T;
  } catch {
    throw new ApiError(0, 'InvalidAnswer', `the answer (HTTP ${answer.status}) is no JSON`);
  }
}

/** Turns a refusal into an error that holds the message of the Status and nothing else of the answer. */
export function refusal(answer: HttpAnswer, clock: Clock): ApiError {
  return statusError(readStatus(answer.body), answer.status, parseRetryAfter(answer.retryAfter, clock));
}

/** The error that a Status stands for, be it the body of an answer or an ERROR inside a watch. */
export function statusError(status: Status | undefined, code: number, retryAfterMs?: number | undefined): ApiError {
  const seconds = status?.details?.retryAfterSeconds;
  const asked =
    retryAfterMs ?? (typeof seconds === 'number' && seconds > 0 ? clampRetryAfter(seconds * 1_000) : undefined);
  const message = typeof status?.message === 'string' && status.message !== '' ? status.message : `HTTP ${code}`;
  return new ApiError(
    code,
    typeof status?.reason === 'string' && status.reason !== '' ? status.reason : 'Unknown',
    withoutSecrets(message),
    { retryAfterMs: asked },
  );
}

/** Retry-After in seconds or as an HTTP date. */
export function parseRetryAfter(header: string | undefined, clock: Clock): number | undefined {
  if (header === undefined) return undefined;
  if (/^\d{1,9}$/.test(header)) return clampRetryAfter(Number(header) * 1_000);
  const moment = Date.parse(header);
  return Number.isNaN(moment) ? undefined : clampRetryAfter(moment - clock.now().getTime());
}

function clampRetryAfter(ms: number): number {
  return Math.min(Math.max(0, ms), LONGEST_RETRY_AFTER_MS);
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

/** Validation messages quote what they refuse, and that may be part of a key or a token. */
export function withoutSecrets(message: string): string {
  return message
    .slice(0, 4 * LONGEST_MESSAGE)
    .replace(/[A-Za-z0-9+/_=-]{64,}/g, '[…]')
    .slice(0, LONGEST_MESSAGE);
}

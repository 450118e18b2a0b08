import { type CertwheelError, classify, type ErrorCode, UnexpectedError } from './errors.ts';
import type { Logger } from './log.ts';
import { stackOf } from './stack.ts';

/** What is wrong with an authority, as conditions tell it. */
export interface Trouble {
  readonly code: ErrorCode;
  readonly message: string;
}

/** Says nothing of an authority: the API server is away, in which case no status can be written, or a race was lost. */
const PASSING: readonly ErrorCode[] = ['Conflict', 'ApiServerUnavailable', 'TooManyRequests'];

/** The error to report in the status of an authority. Throws errors that say nothing about it; the controller backs off. */
export function reportable(thrown: unknown, log: Logger): CertwheelError {
  const error = classify(thrown);
  if (PASSING.includes(error.code)) throw error;
  if (error instanceof UnexpectedError)
    log.error('unexpected error, please report it', { error: error.message, stack: stackOf(error.cause ?? error) });
  return error;
}

export function troubleOf({ code, message }: CertwheelError): Trouble {
  return { code, message };
}

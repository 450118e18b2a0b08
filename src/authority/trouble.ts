import { AuthorityError, type CertwheelError, classify, type ErrorCode } from '../errors.ts';

/** What is wrong with an authority, as conditions tell it. */
export interface Trouble {
  readonly code: ErrorCode;
  readonly message: string;
}

/** What is the authority's own fault, to be told of; anything else is thrown on, for the controller's own backoff. */
export function authorityError(thrown: unknown): AuthorityError {
  const error = classify(thrown);
  if (!(error instanceof AuthorityError)) throw error;
  return error;
}

export function troubleOf({ code, message }: CertwheelError): Trouble {
  return { code, message };
}

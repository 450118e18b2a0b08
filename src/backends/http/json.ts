import { AuthorityError } from '../../errors.ts';
import { withoutSecrets } from '../../foreign-text.ts';
import type { HttpAnswer, HttpRequest } from './exchange.ts';
import { membersOf, textsOf } from './json-members.ts';

export interface JsonRequest extends Omit<HttpRequest, 'body'> {
  /** Sent as JSON. */
  readonly body?: unknown;
}

/** Whatever a server answered; nothing about it is believed. */
export interface JsonAnswer {
  readonly status: number;
  /** Undefined where there is none, or where a refusal is no JSON. */
  readonly body: unknown;
  /** What a refusal says about itself, fit to be shown; empty where it says nothing. */
  readonly message: string;
  readonly retryAfterMs: number | undefined;
}

export function requestOf({ body, headers, ...request }: JsonRequest): HttpRequest {
  if (body === undefined) return { ...request, ...(headers && { headers }) };
  return { ...request, headers: { 'content-type': 'application/json', ...headers }, body: JSON.stringify(body) };
}

/** Throws an AuthorityError for an answer other than a refusal that is no JSON. */
export function jsonOf(answer: HttpAnswer, server: string, secrets: readonly string[] | undefined): JsonAnswer {
  const { status, bytes, retryAfterMs } = answer;
  if (bytes.length === 0) return { status, body: undefined, message: '', retryAfterMs };
  let body: unknown;
  try {
    body = JSON.parse(bytes.toString('utf8'));
  } catch {
    if (status >= 300) return { status, body: undefined, message: '', retryAfterMs };
    throw new AuthorityError(
      'AuthorityMisconfigured',
      `${server} answered (HTTP ${status}) with something that is no JSON; is this its address?`,
      { unproven: true },
    );
  }
  return { status, body, message: status < 300 ? '' : withoutSecrets(saidIn(body), secrets), retryAfterMs };
}

/** The places where servers put what they have to say: Vault, OAuth, ACME, step-ca. */
function saidIn(body: unknown): string {
  const { errors, message, detail, error_description, error } = membersOf(body);
  const [found = ''] = [textsOf(errors).join('; '), message, detail, error_description, error].filter(
    (each) => typeof each === 'string' && each !== '',
  );
  return String(found);
}

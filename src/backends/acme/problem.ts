import { AuthorityError, type CertwheelError, DeniedError, RetryableError } from '../../errors.ts';
import { withoutSecrets } from '../../foreign-text.ts';
import type { HttpAnswer } from '../http/exchange.ts';
import { membersOf } from '../http/json-members.ts';

/** A problem document (RFC 7807) of an ACME server, fit to be shown. */
export interface Problem {
  /** Without the prefix of RFC 8555 section 6.7; empty for another kind of document. */
  readonly type: string;
  /** What went wrong, with the subproblems and the names that they are about. */
  readonly text: string;
}

const PREFIX = 'urn:ietf:params:acme:error:';
const MOST_SUBPROBLEMS = 10;

/** Problems of a request that the same server won't take at another time either. */
const REFUSALS = new Set([
  'rejectedIdentifier',
  'unsupportedIdentifier',
  'badCSR',
  'badPublicKey',
  'badSignatureAlgorithm',
]);
const CONTACT = new Set(['invalidContact', 'unsupportedContact']);

/** The problem in any JSON: that of a refusal, of an order or of a challenge. */
export function problemOf(document: unknown): Problem {
  const { type, detail, subproblems } = membersOf(document);
  const kind = typeof type === 'string' && type.startsWith(PREFIX) ? type.slice(PREFIX.length) : '';
  const below = Array.isArray(subproblems) ? subproblems.slice(0, MOST_SUBPROBLEMS).map(subproblemText) : [];
  const said = [typeof detail === 'string' ? detail : '', ...below].filter((each) => each !== '').join('; ');
  return { type: withoutSecrets(kind).slice(0, 64), text: withoutSecrets(said) };
}

export function problemIn({ bytes }: HttpAnswer): Problem {
  try {
    return problemOf(JSON.parse(bytes.toString('utf8')));
  } catch {
    return { type: '', text: '' };
  }
}

function subproblemText(document: unknown): string {
  const { type, detail, identifier } = membersOf(document);
  const { value } = membersOf(identifier);
  const name = typeof value === 'string' ? `${value}: ` : '';
  const kind = typeof type === 'string' && type.startsWith(PREFIX) ? type.slice(PREFIX.length) : '';
  return `${name}${typeof detail === 'string' ? detail : kind}`;
}

/** `(type) text`, or the one that there is. */
export function words({ type, text }: Problem): string {
  if (type === '') return text === '' ? 'no reason given' : text;
  return text === '' ? type : `${text} (${type})`;
}

/** What a refusal of the server means; `what` was asked, in words. */
export function refusal(answer: HttpAnswer, server: string, what: string): CertwheelError {
  const { status, retryAfterMs } = answer;
  const problem = problemIn(answer);
  const { type } = problem;
  const said = `${server}: ${what} was answered ${status}: ${words(problem)}`;
  if (type === 'rateLimited' || status === 429) return new AuthorityError('AuthorityBusy', said, { retryAfterMs });
  if (type === 'externalAccountRequired')
    return new AuthorityError(
      'CredentialsNotFound',
      `${said}; get a key from the CA and name it in spec.acme.externalAccountBinding`,
    );
  if (type === 'userActionRequired')
    return new AuthorityError('AuthorityMisconfigured', `${said}; the CA wants its account's owner to act there`);
  if (type === 'invalidProfile')
    return new AuthorityError('AuthorityMisconfigured', `${said}; name one of its profiles in spec.acme.profile`);
  if (CONTACT.has(type)) return new AuthorityError('AuthorityMisconfigured', `${said}; correct spec.acme.email`);
  if (REFUSALS.has(type)) return new DeniedError('RequestDenied', said);
  if (type === 'badNonce') return new AuthorityError('AuthorityUnavailable', said, { retryAfterMs });
  if (status === 401 || (type === 'unauthorized' && status === 403))
    return new AuthorityError('CredentialsRefused', said);
  // Without a problem of ACME it may be what stands in front of the server, or in its place.
  const unproven = type === '';
  if (status >= 500) return new AuthorityError('AuthorityUnavailable', said, { retryAfterMs, unproven });
  return new RetryableError('RequestFailed', said, { retryAfterMs });
}

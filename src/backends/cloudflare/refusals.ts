import { AuthorityError, type CertwheelError, DeniedError, RetryableError } from '../../errors.ts';
import { withoutSecrets } from '../../foreign-text.ts';
import { refusalError } from '../http/errors.ts';
import type { JsonAnswer } from '../http/json.ts';
import { problemsIn, problemText } from './envelope.ts';

/** What a request was about, for messages. */
export interface Asked {
  /** In words, such as "listing the client certificates of zone …". */
  readonly what: string;
  /** What is asked about, such as `zone …`. */
  readonly place: string;
  /** The Secret and the key that hold the API token. */
  readonly token: string;
  readonly server: string;
  readonly secrets: readonly string[];
}

/** The permission that the API's reference names for all five calls. */
export const PERMISSION = 'SSL and Certificates Write';

/** Numbers of errors that are about the token, the zone or the quota, whatever the HTTP status. */
const CODES = {
  /** "Authentication error": the token is unknown, or lacks a permission on this zone. */
  authentication: 10_000,
  /** "Invalid access token". */
  invalidToken: 9_109,
  /** "Unable to authenticate request". */
  unauthenticated: 10_001,
  /** "Could not route to …, perhaps your object identifier is invalid?" */
  noRoute: 7_003,
  /** "Invalid zone identifier". */
  noZone: 1_001,
  /** "Invalid request headers" / "Invalid format for Authorization header", for what is no token at all. */
  badHeaders: 6_003,
  /** The quota of client certificates of the zone is used up. */
  quota: 1_445,
  /** The quota of uploaded CA certificates of the account is used up. */
  quotaOfCAs: 1_489,
} as const;

type Meaning = 'token' | 'zone' | 'quota' | 'quotaOfCAs' | undefined;

/** What the numbers of an answer say is wrong. */
export function meaningOf({ body }: Pick<JsonAnswer, 'body'>): Meaning {
  const codes = new Set(problemsIn(body).map(({ code }) => code));
  if (codes.has(CODES.quota)) return 'quota';
  if (codes.has(CODES.quotaOfCAs)) return 'quotaOfCAs';
  const { authentication, invalidToken, unauthenticated, badHeaders } = CODES;
  if ([authentication, invalidToken, unauthenticated, badHeaders].some((code) => codes.has(code))) return 'token';
  return codes.has(CODES.noRoute) || codes.has(CODES.noZone) ? 'zone' : undefined;
}

/** Whether the token, and not the request, is what was refused. */
export function refusesToken(answer: Pick<JsonAnswer, 'status' | 'body'>): boolean {
  return meaningOf(answer) === 'token' || answer.status === 401 || answer.status === 403;
}

/** What a refusal means where it isn't about one certificate. */
export function troubleOf(answer: JsonAnswer, asked: Asked): AuthorityError {
  const { what, place, token, server, secrets } = asked;
  const said = withoutSecrets(problemText(problemsIn(answer.body)), secrets);
  const text = `${what} was answered ${answer.status}${said === '' ? '' : `: ${said}`}`;
  if (answer.status === 429)
    return new AuthorityError('AuthorityBusy', `${server}: ${text}`, { retryAfterMs: answer.retryAfterMs });
  if (refusesToken(answer))
    return new AuthorityError(
      'CredentialsRefused',
      `${text}; the API token of ${token} must be valid and have the permission ${PERMISSION} on ${place}`,
    );
  if (meaningOf(answer) === 'zone')
    return new AuthorityError(
      'AuthorityMisconfigured',
      `${text}; there is no ${place} that the API token of ${token} may see: compare the id with that on its overview page`,
    );
  const known = { ...answer, message: said };
  return refusalError(known, server, what) ?? new AuthorityError('AuthorityMisconfigured', `${server}: ${text}`);
}

/** What an answer must be about to be the last word on a request; Cloudflare's numbers for that are not published. */
const ABOUT_THE_REQUEST =
  /\bcsr\b|signing request|validity|public key|key (type|size|algorithm)|common name|subject|host/i;

/**
 * The same for a request for one certificate. There 400 is an answer to what the CSR holds, or a failure of Cloudflare's, such
 * as "1100 Failed to write certificate to Database": nothing but the former is worth no other try.
 */
export function refusalOf(answer: JsonAnswer, asked: Asked): CertwheelError {
  const isAboutRequest = answer.status === 400 || answer.status === 422;
  if (!isAboutRequest || meaningOf(answer) !== undefined) return troubleOf(answer, asked);
  const said = withoutSecrets(problemText(problemsIn(answer.body)), asked.secrets);
  const text = `${asked.what} was refused: ${said === '' ? 'without a reason' : said}`;
  return ABOUT_THE_REQUEST.test(said)
    ? new DeniedError('RequestDenied', text)
    : new RetryableError('RequestFailed', text, { retryAfterMs: answer.retryAfterMs });
}

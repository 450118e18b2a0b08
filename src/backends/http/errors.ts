import { AuthorityError, CertwheelError, RetryableError } from '../../errors.ts';
import { withoutSecrets } from '../../foreign-text.ts';
import { messageOf } from '../../thrown.ts';
import { AddressRefused } from './address.ts';
import type { JsonAnswer } from './json.ts';

/** What can be wrong with a server's certificate, in words; what isn't in here is shown by its code. */
const TLS_FAULTS: ReadonlyMap<string, string> = new Map([
  ['CERT_HAS_EXPIRED', 'its certificate has expired'],
  ['CERT_NOT_YET_VALID', 'its certificate is not valid yet'],
  ['DEPTH_ZERO_SELF_SIGNED_CERT', 'its certificate is self-signed, and not among what is trusted'],
  ['SELF_SIGNED_CERT_IN_CHAIN', 'its certificate leads to a CA that is not trusted'],
  ['UNABLE_TO_GET_ISSUER_CERT', 'its certificate leads to a CA that is not trusted'],
  ['UNABLE_TO_GET_ISSUER_CERT_LOCALLY', 'its certificate leads to a CA that is not trusted'],
  ['UNABLE_TO_VERIFY_LEAF_SIGNATURE', 'its certificate leads to a CA that is not trusted'],
  ['CERT_SIGNATURE_FAILURE', 'its certificate leads to a CA that is not trusted'],
  ['CERT_UNTRUSTED', 'its certificate leads to a CA that is not trusted'],
  ['ERR_TLS_CERT_ALTNAME_INVALID', 'its certificate is for another name'],
]);

/** What to do, where it isn't that another CA must be trusted; FIELD stands for the field that names the server. */
const TLS_REMEDIES: ReadonlyMap<string, string> = new Map([
  ['CERT_HAS_EXPIRED', 'renew it on the server'],
  ['CERT_NOT_YET_VALID', 'compare the clocks'],
  ['ERR_TLS_CERT_ALTNAME_INVALID', 'name in FIELD what the certificate is for, or add this name to it'],
]);

interface Remedies {
  /** What to do where another CA must be trusted. */
  readonly trustHint?: string;
  /** The field of the spec that names the server. */
  readonly field?: string;
}

/**
 * Why no answer came, in our words. Every certificate behind the server would fail alike. All but what is wrong with the
 * spec, or with a name that is public, is `unproven`.
 */
export function noAnswer(
  error: unknown,
  server: string,
  secrets?: readonly string[],
  { trustHint = 'caBundle must hold the CA of this server', field = 'server' }: Remedies = {},
): CertwheelError {
  if (error instanceof CertwheelError) return error;
  const code = codeOf(error);
  const text = withoutSecrets(messageOf(error), secrets);
  if (error instanceof AddressRefused || error instanceof AggregateError)
    return refusedAddress(error, server) ?? unreachable(server, text);
  switch (code) {
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return unreachable(server, `its name can't be resolved (${code})`, false);
    case 'ECONNREFUSED':
      return unreachable(server, 'the connection was refused; nothing listens there, or a firewall says no');
    case 'EHOSTUNREACH':
    case 'ENETUNREACH':
      return unreachable(server, `there is no route to it (${code})`);
    case 'ECONNRESET':
    case 'ECONNABORTED':
    case 'EPIPE':
    case 'UND_ERR_SOCKET':
      // In one set of words, whenever it happened: they stand in a status, which is written anew with each change.
      return unreachable(server, 'the connection was broken off; a proxy in front of it may have no server behind it');
    case 'TimeoutError':
    case 'ETIMEDOUT':
    case 'UND_ERR_CONNECT_TIMEOUT':
    case 'UND_ERR_HEADERS_TIMEOUT':
    case 'UND_ERR_BODY_TIMEOUT':
      return unreachable(server, 'no answer in time; is a NetworkPolicy or a firewall in between?');
    case 'AbortError':
      return new RetryableError('AuthorityUnreachable', `${server}: given up while waiting for its answer`, {
        unproven: true,
      });
  }
  if (TLS_FAULTS.has(code) || code.startsWith('ERR_TLS') || code.startsWith('CERT_'))
    return new AuthorityError(
      'AuthorityNotTrusted',
      `${server} can't be trusted: ${TLS_FAULTS.get(code) ?? text} (${code}); ${TLS_REMEDIES.get(code)?.replace('FIELD', field) ?? trustHint}`,
      { unproven: true },
    );
  if (code.startsWith('ERR_SSL') || code === 'EPROTO')
    return new AuthorityError('AuthorityNotTrusted', `${server} speaks no TLS that can be used (${code})`, {
      unproven: true,
    });
  return unreachable(server, code === '' ? text : `${text} (${code})`);
}

/**
 * What a refusal means where a backend knows no better: 401 and 403 are about our credentials, 404 about the address, 429
 * and 5xx may pass. Undefined for every other status.
 */
export function refusalError(answer: JsonAnswer, server: string, what: string): AuthorityError | undefined {
  const { status, message, retryAfterMs } = answer;
  const said = `${server}: ${what} was answered ${status}${message === '' ? '' : `: ${message}`}`;
  if (status === 401 || status === 403) return new AuthorityError('CredentialsRefused', said);
  if (status === 404 || status === 405) return new AuthorityError('AuthorityMisconfigured', said);
  if (status === 429) return new AuthorityError('AuthorityBusy', said, { retryAfterMs });
  if (status >= 500) return new AuthorityError('AuthorityUnavailable', said, { retryAfterMs });
  return undefined;
}

function unreachable(server: string, why: string, unproven = true): AuthorityError {
  return new AuthorityError('AuthorityUnreachable', `${server} can't be reached: ${why}`, { unproven });
}

function refusedAddress(error: Error, server: string): AuthorityError | undefined {
  return error instanceof AddressRefused
    ? new AuthorityError('AuthorityMisconfigured', `${server} is not asked: ${error.message}`)
    : undefined;
}

/** Node gives a code to what the system says, and a name to what was given up; undici wraps some of both. */
function codeOf(error: unknown): string {
  if (!(error instanceof Error)) return '';
  if (error.name === 'TimeoutError' || (error.name === 'AbortError' && !('code' in error))) return error.name;
  const { code } = error as { code?: unknown };
  if (typeof code === 'string') return code;
  return error.name === 'AbortError' ? error.name : '';
}

import type { VaultBackend } from '../../api/generated/types.ts';
import { AuthorityError, type CertwheelError, DeniedError } from '../../errors.ts';
import type { BackendDeps } from '../backend-deps.ts';
import { AuthorityHttp, Redirected } from '../http/client.ts';
import { connectionOf } from '../http/connection.ts';
import { refusalError } from '../http/errors.ts';
import type { JsonAnswer } from '../http/json.ts';
import { membersOf } from '../http/json-members.ts';
import type { ClientIdentity } from '../http/secure-context.ts';

export interface VaultCall {
  readonly method: 'GET' | 'POST';
  /** Below /v1/. */
  readonly path: string;
  readonly body?: Readonly<Record<string, unknown>>;
  readonly token?: string | undefined;
  /** Further things that must never be in a message. */
  readonly secrets?: readonly string[];
}

/** What Go's crypto/x509 says in Vault when a new certificate doesn't verify against the CA's name constraints. */
const FORBIDDEN_NAME =
  /x509: (?:.{0,80} certificate is not authorized to sign for this name|issuer has name constraints but leaf)/;

/** Vault's HTTP API, as far as every call has it in common. */
export class VaultClient {
  readonly #http: AuthorityHttp;
  readonly #namespace: string | undefined;
  readonly #clusterWide: boolean;
  readonly #identity: (() => Promise<ClientIdentity>) | undefined;

  /** `identity` is asked before each request for the certificate that is shown on the connection. */
  constructor(spec: VaultBackend, deps: BackendDeps, identity?: () => Promise<ClientIdentity>) {
    this.#http = new AuthorityHttp({ ...connectionOf(spec, deps), server: spec.server, isProof: isOfVault });
    this.#clusterWide = deps.clusterWide;
    this.#namespace = spec.namespace;
    this.#identity = identity;
  }

  /** Any answer that Vault gives; throws an AuthorityError where none came. */
  async ask({ method, path, body, token, secrets = [] }: VaultCall, signal: AbortSignal): Promise<JsonAnswer> {
    const headers = {
      // Vault's agents and proxies can be configured to refuse requests without it.
      'x-vault-request': 'true',
      ...(this.#namespace === undefined ? {} : { 'x-vault-namespace': this.#namespace }),
      ...(token === undefined ? {} : { 'x-vault-token': token }),
    };
    const hidden = token === undefined ? secrets : [...secrets, token];
    if (this.#identity !== undefined) this.#http.present(await this.#identity());
    try {
      const answer = await this.#http.json({ method, path: `/v1/${path}`, headers, body, secrets: hidden }, signal);
      if (!this.#clusterWide) this.#refuseUnlikeVault(answer, path);
      return answer;
    } catch (error) {
      // 307 is what a standby answers; anything else that redirects is no Vault.
      if (!(error instanceof Redirected) || error.status !== 307) throw error;
      throw new AuthorityError(
        'AuthorityUnavailable',
        `${this.#http.server} is a standby and names ${error.to}, which is not followed; see whether that is up, or name in server the active node or what forwards to it`,
        { unproven: true },
      );
    }
  }

  /** For `discreet`: what a server that is trusted and is no Vault answers is not for tenants. */
  #refuseUnlikeVault(answer: JsonAnswer, path: string): void {
    if (isOfVault(answer)) return;
    const { status, message } = answer;
    throw new AuthorityError(
      status >= 500 ? 'AuthorityUnavailable' : 'AuthorityMisconfigured',
      `${this.#http.server}: /v1/${path} was answered ${status}, not as a Vault does: ${message}`,
      { unproven: true },
    );
  }

  /** What it means that this was refused, where that isn't about one certificate; `what` was tried, in words. */
  trouble(answer: JsonAnswer, what: string): AuthorityError {
    const { server } = this.#http;
    const { status, message } = answer;
    if (status === 503 && message.includes('sealed'))
      return new AuthorityError('AuthorityUnavailable', `${server} is sealed; unseal it`);
    // The node hasn't seen yet what another one wrote.
    if (status === 412)
      return new AuthorityError('AuthorityUnavailable', `${server}: ${what} was answered 412: it lags behind`);
    return (
      refusalError(answer, server, what) ??
      new AuthorityError('AuthorityMisconfigured', `${server}: ${what} was answered ${status}: ${message}`)
    );
  }

  /**
   * The same for what was asked for one certificate: there 400 is an answer to what the request holds, and so is a name
   * that the CA's name constraints forbid, which Vault answers with 500. The authority stays good for other names.
   */
  refusal(answer: JsonAnswer, what: string): CertwheelError {
    const { status, message } = answer;
    return status === 400 || (status === 500 && FORBIDDEN_NAME.test(message))
      ? new DeniedError('RequestDenied', `${what} was refused: ${message || 'without a reason'}`)
      : this.trouble(answer, what);
  }
}

/** Vault lists its errors, and wraps everything else. */
function isOfVault({ status, body }: JsonAnswer): boolean {
  const { errors, data, auth, request_id } = membersOf(body);
  if (typeof request_id === 'string') return true;
  if (status >= 300) return Array.isArray(errors) && errors.every((each) => typeof each === 'string');
  return isObject(data) || isObject(auth);
}

function isObject(value: unknown): boolean {
  return typeof value === 'object' && value !== null;
}

/** A path of Vault's, such as a mount, may have several parts. None of them leads upwards, past what a proxy lets through. */
export function encodePath(path: string): string {
  const parts = path.split('/').filter((part) => part !== '');
  if (parts.includes('.') || parts.includes('..'))
    throw new AuthorityError('AuthorityMisconfigured', `${path} is no path of Vault's: a part of it is . or ..`);
  return parts.map(encodeURIComponent).join('/');
}

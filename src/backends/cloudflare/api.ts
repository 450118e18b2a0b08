import type { CloudflareBackend } from '../../api/generated/types.ts';
import { AuthorityError } from '../../errors.ts';
import type { BackendDeps } from '../backend-deps.ts';
import { AuthorityHttp } from '../http/client.ts';
import { connectionOf } from '../http/connection.ts';
import type { JsonAnswer, JsonRequest } from '../http/json.ts';
import { membersOf } from '../http/json-members.ts';
import { secretText } from '../shared/secret-text.ts';
import { isOfCloudflare } from './envelope.ts';
import { type Asked, refusesToken, troubleOf } from './refusals.ts';

export const CLOUDFLARE_API = 'https://api.cloudflare.com/client/v4';

/** What names the API and the token: a part of the spec of an authority, or of a trust target. */
export type ApiAccess = Pick<CloudflareBackend, 'apiTokenSecretRef' | 'server' | 'caBundle'>;

export type ApiDeps = Pick<BackendDeps, 'addresses' | 'clock' | 'clusterWide' | 'objects' | 'secret'>;

/** A successful answer. */
export interface ApiResult {
  readonly result: unknown;
  readonly info: Readonly<Record<string, unknown>>;
}

/** The endpoint knows the tokens of users alone. */
const UNKNOWN =
  'Cloudflare knows no token of a user with this value: copy the whole token again, unless it is one of an account';

type Call = Pick<JsonRequest, 'method' | 'path' | 'body'>;

/**
 * Cloudflare's API v4 with a token. Plain HTTP: the official SDK repeats a create by itself, which would issue twice, and
 * has 120 MB.
 */
export class CloudflareApi {
  readonly #http: AuthorityHttp;
  readonly #access: ApiAccess;
  readonly #deps: ApiDeps;

  constructor(access: ApiAccess, deps: ApiDeps) {
    const { server = CLOUDFLARE_API } = access;
    this.#http = new AuthorityHttp({ ...connectionOf(access, deps), server, isProof: isOfCloudflare });
    this.#access = access;
    this.#deps = deps;
  }

  get server(): string {
    return this.#http.server;
  }

  /** Where the token is, for messages. */
  get tokenPlace(): string {
    const { name, key } = this.#access.apiTokenSecretRef;
    return `Secret ${this.#deps.objects.namespace}/${name}, key ${key ?? 'token'}`;
  }

  /** Any answer of the API; throws an AuthorityError where none came. */
  async ask(call: Call, signal: AbortSignal): Promise<JsonAnswer & Pick<Asked, 'secrets'>> {
    const token = await this.token();
    const secrets = [token];
    const headers = { authorization: `Bearer ${token}` };
    const answer = await this.#http.json({ ...call, headers, secrets }, signal);
    if (!isOfCloudflare(answer)) this.#refuseStranger(answer, call);
    return { ...answer, secrets };
  }

  /** The result of an answer that must be a success; `what` was tried, in words. Throws an AuthorityError. */
  async get(call: Call, what: string, place: string, signal: AbortSignal): Promise<ApiResult> {
    const answer = await this.ask(call, signal);
    if (!isSuccess(answer)) throw await this.explained(answer, what, place, signal, true);
    return resultOf(answer);
  }

  /**
   * What a refusal means; where the token was refused, Cloudflare is asked what is wrong with it. A write follows a read of the
   * same place, so that the token is known to reach it.
   */
  async explained(
    answer: JsonAnswer & Pick<Asked, 'secrets'>,
    what: string,
    place: string,
    signal: AbortSignal,
    isRead = false,
  ): Promise<AuthorityError> {
    const trouble = troubleOf(answer, this.asked(what, place, answer.secrets));
    const state = refusesToken(answer) ? await this.#stateOfToken(signal) : undefined;
    if (state === undefined) return trouble;
    if (state === 'active' || state === 'unknown') {
      const why = isRead
        ? `the id is wrong, or the token lacks this permission on ${place}`
        : 'it lacks this permission';
      const found = state === 'active' ? `Cloudflare says that the token is active, so ${why}` : UNKNOWN;
      return new AuthorityError(trouble.code, `${trouble.message}. ${found}`);
    }
    return new AuthorityError(
      'CredentialsRefused',
      `the API token of ${this.tokenPlace} is ${state}; put another one there`,
    );
  }

  asked(what: string, place: string, secrets: readonly string[]): Asked {
    return { what, place, token: this.tokenPlace, server: this.server, secrets };
  }

  /** What Cloudflare says of the token by itself; undefined where it doesn't say. */
  async #stateOfToken(signal: AbortSignal): Promise<'active' | 'expired' | 'disabled' | 'unknown' | undefined> {
    const answer = await this.ask({ method: 'GET', path: '/user/tokens/verify' }, signal);
    if (!isSuccess(answer)) return refusesToken(answer) ? 'unknown' : undefined;
    const { status } = membersOf(resultOf(answer).result);
    return (['active', 'expired', 'disabled'] as const).find((each) => each === status);
  }

  /** A server that is trusted and doesn't answer as Cloudflare may be any: what it says is not for tenants. */
  #refuseStranger({ status, retryAfterMs }: JsonAnswer, { path }: Call): never {
    const what = `${this.server}: ${path.split('?')[0]} was answered ${status}, not as Cloudflare's API does`;
    if (status === 429) throw new AuthorityError('AuthorityBusy', what, { retryAfterMs, unproven: true });
    const code = status >= 500 ? 'AuthorityUnavailable' : 'AuthorityMisconfigured';
    throw new AuthorityError(code, what, { retryAfterMs, unproven: true });
  }

  /** Throws an AuthorityError where there is none. */
  async token(): Promise<string> {
    const { name, key = 'token' } = this.#access.apiTokenSecretRef;
    return secretText({ name, key }, this.#deps);
  }
}

export function isSuccess({ status, body }: Pick<JsonAnswer, 'status' | 'body'>): boolean {
  return status >= 200 && status < 300 && membersOf(body).success === true;
}

export function resultOf({ body }: Pick<JsonAnswer, 'body'>): ApiResult {
  const { result, result_info: info } = membersOf(body);
  return { result, info: membersOf(info) };
}

import type { Clock } from '../../clock.ts';
import type { AuthorityHttp } from '../http/client.ts';
import { type JsonAnswer, jsonOf, requestOf } from '../http/json.ts';
import { type RpcStatus, rpcStatusOf } from './rpc-status.ts';
import type { Tokens } from './tokens.ts';

export interface GoogleCall {
  readonly method: 'GET' | 'POST';
  /** Below /v1/. */
  readonly path: string;
  readonly body?: Readonly<Record<string, unknown>>;
}

/** An answer of the API, a refusal too. */
export interface Reply extends JsonAnswer {
  readonly rpc: RpcStatus;
  /** How far our clock is ahead of the server's, in milliseconds, by the header Date; undefined where that is missing. */
  readonly clockAheadMs: number | undefined;
}

/** The API of CA Service, with an access token in each request. */
export class GoogleClient {
  readonly #http: AuthorityHttp;
  readonly #tokens: Tokens;
  readonly #clock: Clock;

  constructor(http: AuthorityHttp, tokens: Tokens, clock: Clock) {
    this.#http = http;
    this.#tokens = tokens;
    this.#clock = clock;
  }

  /** Throws an AuthorityError where no answer came, or no token could be had. A refused token is replaced once. */
  async call(call: GoogleCall, signal: AbortSignal): Promise<Reply> {
    const token = await this.#tokens.get();
    const reply = await this.#once(call, token, signal);
    if (reply.status !== 401) return reply;
    const other = await this.#tokens.instead(token);
    return other === token ? reply : this.#once(call, other, signal);
  }

  get server(): string {
    return this.#http.server;
  }

  /** See Login. */
  member(): string {
    return this.#tokens.member();
  }

  /** See Login. */
  remedy(): string {
    return this.#tokens.remedy();
  }

  async #once({ method, path, body }: GoogleCall, token: string, signal: AbortSignal): Promise<Reply> {
    const secrets = [token];
    const request = { method, path: `/v1/${path}`, headers: { authorization: `Bearer ${token}` }, body, secrets };
    const received = await this.#http.exchange(requestOf(request), signal);
    const answer = jsonOf(received, this.#http.server, secrets);
    const rpc = rpcStatusOf(answer, secrets);
    const dateMs = Date.parse(received.headers.date ?? '');
    const retryAfterMs = answer.retryAfterMs ?? rpc.retryDelayMs;
    const clockAheadMs = Number.isNaN(dateMs) ? undefined : this.#clock.now().getTime() - dateMs;
    return { ...answer, message: rpc.message || answer.message, retryAfterMs, rpc, clockAheadMs };
  }
}

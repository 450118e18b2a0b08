import type { PeerCertificate } from 'node:tls';
import { Agent } from 'undici';
import { within } from '../../abort.ts';
import type { Clock } from '../../clock.ts';
import { AuthorityError } from '../../errors.ts';
import { parseRetryAfter } from '../../foreign-text.ts';
import { type AddressRules, guardedLookup, refuseLiteral } from './address.ts';
import { noAnswer } from './errors.ts';
import { type HttpAnswer, type HttpRequest, headersOf } from './exchange.ts';
import { type JsonAnswer, type JsonRequest, jsonOf, requestOf } from './json.ts';
import { readBody } from './read-body.ts';
import { type ClientIdentity, type ServerIdentity, trusting, trustingAlone } from './secure-context.ts';

/** No certificate with its chain comes near it. */
const MAX_BYTES = 2 ** 20;
const REQUEST_MS = 10_000;
const ALL_REQUESTS_MS = 30_000;
/** Vault cuts off what is below a second, and says 0. */
const LEAST_RETRY_AFTER_MS = 1_000;

export interface HttpOptions {
  /** An https URL; what stands behind the host goes in front of each path. */
  readonly server: string;
  /** PEM of the CAs that the server's certificate must lead to; without it those of the system. */
  readonly caBundle?: string | undefined;
  /** What to do in the spec where the server isn't trusted; about its field caBundle by default. */
  readonly trustHint?: string;
  /** The field of the spec that names the server, for messages; `server` by default. */
  readonly field?: string;
  /** In place of caBundle and the host name: the server shows who it is by another name in its certificate. */
  readonly identity?: ServerIdentity;
  /** Where the server may be. */
  readonly rules: AddressRules;
  /** On whose behalf it is asked: the namespace of the authority. Of each one name is resolved at a time. */
  readonly namespace: string;
  readonly clock: Clock;
  /** Whether an answer shows that the server is the expected one; by default each does, by its certificate. */
  readonly isProof?: (answer: JsonAnswer) => boolean;
}

/** The server names another one; where that is so on purpose, a backend can say more about it. */
export class Redirected extends AuthorityError {
  readonly status: number;
  readonly to: string;

  constructor(server: string, status: number, location: string | undefined, field = 'server') {
    const to =
      location !== undefined && URL.canParse(location, server) ? new URL(location, server).origin : 'elsewhere';
    super(
      'AuthorityMisconfigured',
      `${server} redirects (HTTP ${status}) to ${to}, which is not followed; name in ${field} what answers itself`,
      { unproven: true },
    );
    this.status = status;
    this.to = to;
  }
}

/** Until when a server asked to be left alone. */
interface Quiet {
  readonly untilMs: number;
  readonly moment: Date;
  readonly unproven: boolean;
}

/**
 * The one way out to an authority that is a server: HTTPS whose certificate is always verified, never redirected, bounded
 * in size and time. Any answer is given back, a refusal too; where none came, it throws an AuthorityError that says why.
 */
export class AuthorityHttp {
  readonly #options: HttpOptions;
  readonly #url: URL | undefined;
  /** The server as it may be shown. */
  readonly server: string;
  #agent: Agent | undefined;
  #shown: ClientIdentity | undefined;
  #quiet: Quiet | undefined;
  /** Of requests that are aside alone. */
  #quietAside: Quiet | undefined;

  constructor(options: HttpOptions) {
    this.#options = options;
    this.#url = urlOf(options.server);
    this.server =
      this.#url === undefined ? 'the server' : `${this.#url.origin}${this.#url.pathname}`.replace(/\/+$/, '');
  }

  /**
   * Shows this certificate on each connection from now on. Connections that showed another one end with the requests
   * that they carry. Throws an AuthorityError for a certificate or key that TLS can't use.
   */
  present(identity: ClientIdentity): void {
    if (this.#shown?.id === identity.id) return;
    const agent = this.#connect(identity);
    // Its requests may still fail; they report that themselves.
    this.#agent?.close().catch(() => {});
    this.#agent = agent;
    this.#shown = identity;
  }

  /** One request, within 10 s; `signal` is that of `withinLimit` where several belong together. */
  json(request: JsonRequest, signal: AbortSignal): Promise<JsonAnswer> {
    const { secrets } = request;
    return this.#ask(request.secrets, signal, async (scope) => {
      const answer = jsonOf(await this.#exchange(requestOf(request), scope), this.server, secrets);
      this.#heed(answer, this.#options.isProof?.(answer) === false);
      return answer;
    });
  }

  /** The same with the bytes and the headers of both sides, for a protocol that needs them; see `isProof` of HttpOptions. */
  exchange(request: HttpRequest, signal: AbortSignal, isProof?: (answer: HttpAnswer) => boolean): Promise<HttpAnswer> {
    const { secrets, isAside = false } = request;
    const exchange = async (scope: AbortSignal) => {
      if (isAside) this.#keepQuiet(this.#quietAside);
      const answer = await this.#exchange(request, scope);
      this.#heed(answer, isProof?.(answer) === false, isAside);
      return answer;
    };
    return this.#ask(secrets, signal, exchange);
  }

  async #ask<T>(
    secrets: readonly string[] | undefined,
    signal: AbortSignal,
    exchange: (scope: AbortSignal) => Promise<T>,
  ): Promise<T> {
    try {
      this.#refuseBadAddress();
      this.#keepQuiet(this.#quiet);
      signal.throwIfAborted();
      return await within(REQUEST_MS, signal, exchange);
    } catch (error) {
      throw noAnswer(error, this.server, secrets, this.#options);
    }
  }

  #retryAfter(header: string | undefined): number | undefined {
    const ms = parseRetryAfter(header, this.#options.clock);
    return ms === undefined ? undefined : Math.max(LEAST_RETRY_AFTER_MS, ms);
  }

  #refuseBadAddress(): void {
    if (this.#url === undefined)
      throw new AuthorityError(
        'AuthorityMisconfigured',
        `${this.#options.field ?? 'server'} must be an https URL without a user, a query or a fragment, such as https://ca.example.com:8443`,
      );
    refuseLiteral(this.#url.hostname, this.#options.rules);
  }

  #heed(
    { status, retryAfterMs: ms }: Pick<HttpAnswer, 'status' | 'retryAfterMs'>,
    unproven: boolean,
    isAside = false,
  ): void {
    if ((status !== 429 && status !== 503) || ms === undefined) return;
    const { clock } = this.#options;
    const quiet = { untilMs: clock.monotonicMs() + ms, moment: new Date(clock.now().getTime() + ms), unproven };
    if (isAside) this.#quietAside = quiet;
    else this.#quiet = quiet;
  }

  /** A server that answered Retry-After isn't asked before that moment, on any caller's behalf. */
  #keepQuiet(quiet: Quiet | undefined): void {
    if (quiet === undefined) return;
    const retryAfterMs = quiet.untilMs - this.#options.clock.monotonicMs();
    if (retryAfterMs <= 0) return;
    // A moment and no span: the message stands in a status, which is written anew with each change.
    const until = quiet.moment.toISOString();
    throw new AuthorityError('AuthorityBusy', `${this.server} asked to be left alone until ${until}`, {
      retryAfterMs,
      unproven: quiet.unproven,
    });
  }

  async #exchange({ method, path, headers, body }: HttpRequest, signal: AbortSignal): Promise<HttpAnswer> {
    this.#agent ??= this.#connect(undefined);
    const { origin, pathname } = new URL(this.server);
    const answer = await this.#agent.request({
      origin,
      path: `${pathname.replace(/\/$/, '')}${path}`,
      method,
      headers: { accept: 'application/json', 'user-agent': 'certwheel', ...headers },
      body: body ?? null,
      signal,
    });
    const { statusCode: status } = answer;
    const received = headersOf(answer.headers);
    const { location, 'retry-after': retryAfter } = received.headers;
    const bytes = await readBody(answer.body, MAX_BYTES, `${this.server} answered with more than ${MAX_BYTES} bytes`);
    if (status >= 300 && status < 400) throw new Redirected(this.server, status, location, this.#options.field);
    return { status, ...received, bytes, retryAfterMs: this.#retryAfter(retryAfter) };
  }

  #stranger({ problem }: ServerIdentity, { raw }: PeerCertificate): Error | undefined {
    const why = problem(raw);
    if (why === undefined) return undefined;
    return new AuthorityError('AuthorityNotTrusted', `${this.server} can't be trusted: its certificate ${why}`, {
      unproven: true,
    });
  }

  #connect(shown: ClientIdentity | undefined): Agent {
    const { caBundle, identity, rules, namespace } = this.#options;
    return new Agent({
      allowH2: false,
      pipelining: 1,
      keepAliveTimeout: 15_000,
      keepAliveMaxTimeout: 60_000,
      connect: {
        // Made once: to parse a hundred CA certificates takes longer than a handshake.
        secureContext: identity === undefined ? trusting(caBundle, shown) : trustingAlone(identity),
        ...(identity && { checkServerIdentity: (_, shown) => this.#stranger(identity, shown) }),
        lookup: guardedLookup(rules, namespace),
        minVersion: 'TLSv1.2',
        rejectUnauthorized: true,
        timeout: REQUEST_MS,
      },
    });
  }
}

/** All requests that belong to one question, which together may take 30 s. */
export function withinLimit<T>(signal: AbortSignal, ask: (signal: AbortSignal) => Promise<T>): Promise<T> {
  return within(ALL_REQUESTS_MS, signal, ask);
}

function urlOf(server: string): URL | undefined {
  const url = URL.canParse(server) ? new URL(server) : undefined;
  const bare = url?.username === '' && url.password === '' && url.search === '' && url.hash === '';
  return bare && url.protocol === 'https:' ? url : undefined;
}

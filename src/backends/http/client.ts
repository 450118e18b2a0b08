import { createSecureContext, getCACertificates, type PeerCertificate, type SecureContext } from 'node:tls';
import { Agent } from 'undici';
import { within } from '../../abort.ts';
import type { Clock } from '../../clock.ts';
import { AuthorityError } from '../../errors.ts';
import { parseRetryAfter, withoutSecrets } from '../../foreign-text.ts';
import { type CertificateView, parseCertificates } from '../../pki/certificate.ts';
import { messageOf } from '../../thrown.ts';
import { type AddressRules, guardedLookup, refuseLiteral } from './address.ts';
import { noAnswer } from './errors.ts';
import type { JsonAnswer, JsonRequest } from './json.ts';
import { membersOf, textsOf } from './json-members.ts';
import { readText } from './read-text.ts';

/** No certificate with its chain comes near it. */
const MAX_BYTES = 2 ** 20;
const REQUEST_MS = 10_000;
const ALL_REQUESTS_MS = 30_000;
const MAX_CA_BUNDLE_BYTES = 500_000;
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

export interface ServerIdentity {
  /** The CAs that the server's certificate must lead to, roots or not. */
  readonly anchors: readonly Pick<CertificateView, 'pem'>[];
  /** Why the certificate (DER) isn't that of the expected server, as the rest of a sentence. */
  problem(certificate: Buffer): string | undefined;
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
  #quiet: { readonly untilMs: number; readonly moment: Date; readonly unproven: boolean } | undefined;

  constructor(options: HttpOptions) {
    this.#options = options;
    this.#url = urlOf(options.server);
    this.server =
      this.#url === undefined ? 'the server' : `${this.#url.origin}${this.#url.pathname}`.replace(/\/+$/, '');
  }

  /** One request, within 10 s; `signal` is that of `withinLimit` where several belong together. */
  async json(request: JsonRequest, signal: AbortSignal): Promise<JsonAnswer> {
    try {
      this.#refuseBadAddress();
      this.#keepQuiet();
      signal.throwIfAborted();
      const answer = await within(REQUEST_MS, signal, (scope) => this.#exchange(request, scope));
      const { status, retryAfterMs } = answer;
      if ((status === 429 || status === 503) && retryAfterMs !== undefined)
        this.#leaveAlone(retryAfterMs, this.#options.isProof?.(answer) === false);
      return answer;
    } catch (error) {
      throw noAnswer(error, this.server, request.secrets, this.#options);
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

  #leaveAlone(ms: number, unproven: boolean): void {
    const { clock } = this.#options;
    this.#quiet = { untilMs: clock.monotonicMs() + ms, moment: new Date(clock.now().getTime() + ms), unproven };
  }

  /** A server that answered Retry-After isn't asked before that moment, on any caller's behalf. */
  #keepQuiet(): void {
    if (this.#quiet === undefined) return;
    const retryAfterMs = this.#quiet.untilMs - this.#options.clock.monotonicMs();
    if (retryAfterMs <= 0) return;
    // A moment and no span: the message stands in a status, which is written anew with each change.
    const until = this.#quiet.moment.toISOString();
    throw new AuthorityError('AuthorityBusy', `${this.server} asked to be left alone until ${until}`, {
      retryAfterMs,
      unproven: this.#quiet.unproven,
    });
  }

  async #exchange({ method, path, headers, body, secrets }: JsonRequest, signal: AbortSignal): Promise<JsonAnswer> {
    this.#agent ??= this.#connect();
    const { origin, pathname } = new URL(this.server);
    const answer = await this.#agent.request({
      origin,
      path: `${pathname.replace(/\/$/, '')}${path}`,
      method,
      headers: {
        accept: 'application/json',
        'user-agent': 'certwheel',
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...headers,
      },
      body: body === undefined ? null : JSON.stringify(body),
      signal,
    });
    const { statusCode: status, headers: answered } = answer;
    const text = await readText(answer.body, MAX_BYTES, `${this.server} answered with more than ${MAX_BYTES} bytes`);
    if (status >= 300 && status < 400)
      throw new Redirected(this.server, status, oneOf(answered.location), this.#options.field);
    return {
      status,
      ...readBody(text, status, this.server, secrets),
      retryAfterMs: this.#retryAfter(oneOf(answered['retry-after'])),
    };
  }

  #stranger({ problem }: ServerIdentity, { raw }: PeerCertificate): Error | undefined {
    const why = problem(raw);
    if (why === undefined) return undefined;
    return new AuthorityError('AuthorityNotTrusted', `${this.server} can't be trusted: its certificate ${why}`, {
      unproven: true,
    });
  }

  #connect(): Agent {
    const { caBundle, identity, rules, namespace } = this.#options;
    return new Agent({
      allowH2: false,
      pipelining: 1,
      keepAliveTimeout: 15_000,
      keepAliveMaxTimeout: 60_000,
      connect: {
        // Made once: to parse a hundred CA certificates takes longer than a handshake.
        secureContext: identity === undefined ? trusting(caBundle) : trustingAlone(identity),
        ...(identity && { checkServerIdentity: (_, shown) => this.#stranger(identity, shown) }),
        lookup: guardedLookup(rules, namespace),
        minVersion: 'TLSv1.2',
        rejectUnauthorized: true,
        timeout: REQUEST_MS,
      },
    });
  }
}

/** Anchors that are no roots are trusted too: a trust domain may have nothing else (X509-SVID section 5.1). */
function trustingAlone({ anchors }: ServerIdentity): SecureContext {
  return createSecureContext({ ca: anchors.map(({ pem }) => pem), allowPartialTrustChain: true });
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

function trusting(caBundle: string | undefined): SecureContext {
  if (caBundle === undefined)
    return createSecureContext({ ca: [...getCACertificates('default'), ...getCACertificates('system')] });
  try {
    const certificates = parseCertificates(caBundle, { maxBytes: MAX_CA_BUNDLE_BYTES });
    if (certificates.length === 0) throw new Error('it holds no certificate');
    return createSecureContext({ ca: certificates.map(({ pem }) => pem) });
  } catch (error) {
    const why = messageOf(error);
    throw new AuthorityError('AuthorityMisconfigured', `caBundle can't be used: ${why}`);
  }
}

function readBody(text: string, status: number, server: string, secrets: readonly string[] | undefined) {
  if (text === '') return { body: undefined, message: '' };
  let body: unknown;
  try {
    body = JSON.parse(text);
  } catch {
    if (status >= 300) return { body: undefined, message: '' };
    throw new AuthorityError(
      'AuthorityMisconfigured',
      `${server} answered (HTTP ${status}) with something that is no JSON; is this its address?`,
      { unproven: true },
    );
  }
  return { body, message: status < 300 ? '' : withoutSecrets(saidIn(body), secrets) };
}

/** The places where servers put what they have to say: Vault, OAuth, ACME, step-ca. */
function saidIn(body: unknown): string {
  const { errors, message, detail, error_description, error } = membersOf(body);
  const [found = ''] = [textsOf(errors).join('; '), message, detail, error_description, error].filter(
    (each) => typeof each === 'string' && each !== '',
  );
  return String(found);
}

function oneOf(header: string | string[] | undefined): string | undefined {
  return Array.isArray(header) ? header[0] : header;
}

import { AuthorityError, CertwheelError } from '../../errors.ts';
import type { BackendDeps } from '../backend-deps.ts';
import { AuthorityHttp } from '../http/client.ts';
import { connectionOf } from '../http/connection.ts';
import type { HttpAnswer } from '../http/exchange.ts';
import { type JsonAnswer, jsonOf } from '../http/json.ts';
import { type Directory, ownUrl, readDirectory } from './directory.ts';
import { type AccountKey, signedRequest } from './jws.ts';
import { problemIn, refusal } from './problem.ts';

/** A nonce that is old or was lost with its server is answered with a fresh one (RFC 8555 section 6.5). */
const MOST_BAD_NONCES = 8;
const MOST_NONCES = 16;
const NONCE = /^[A-Za-z0-9_-]{1,512}$/;
const CERTIFICATES = 'application/pem-certificate-chain';

/** Who signs a request: an account by its URL, or a key that has none yet. */
export interface Sender {
  readonly key: AccountKey;
  readonly url?: string | undefined;
}

type SessionDeps = Pick<BackendDeps, 'addresses' | 'clock' | 'objects'>;

/** The requests of ACME: signed, with a nonce each, and to no other host than that of the directory. */
export class Session {
  readonly #http: AuthorityHttp;
  readonly #address: string;
  readonly #path: string;
  #nonces: string[] = [];
  #directory: Directory | undefined;

  constructor(spec: { readonly server: string; readonly caBundle?: string }, deps: SessionDeps) {
    const { server } = spec;
    const url = URL.canParse(server) ? new URL(server) : undefined;
    this.#address = server;
    this.#path = url === undefined ? '/' : `${url.pathname}${url.search}`;
    this.#http = new AuthorityHttp({
      ...connectionOf(spec, deps),
      // All URLs of the server are below its origin, not below the directory.
      server: url === undefined || url.username !== '' ? server : url.origin,
    });
  }

  /** The server as it may be shown. */
  get server(): string {
    return this.#http.server;
  }

  /** The directory as it was read last. */
  async directory(signal: AbortSignal): Promise<Directory> {
    return this.#directory ?? this.readDirectory(signal);
  }

  /** Until the server has answered as an ACME server does, nothing that it says is for tenants. */
  async readDirectory(signal: AbortSignal): Promise<Directory> {
    const answer = await this.#http.exchange({ method: 'GET', path: this.#path }, signal).catch((error: unknown) => {
      throw error instanceof CertwheelError && error.code === 'AuthorityBusy' ? unproven(error) : error;
    });
    if (answer.status !== 200)
      throw new AuthorityError(
        answer.status >= 500 ? 'AuthorityUnavailable' : 'AuthorityMisconfigured',
        `${this.#address}: the directory was answered ${answer.status}; is this its URL?`,
        { unproven: true, retryAfterMs: answer.retryAfterMs },
      );
    this.#directory = readDirectory(jsonOf(answer, this.server, undefined).body, this.#address);
    return this.#directory;
  }

  /** A URL that the server has named, see ownUrl. */
  own(value: unknown, what: string): string {
    return ownUrl(value, this.#address, what);
  }

  /** A signed request; a refusal is thrown, `what` was asked. Without `payload` it is POST-as-GET. */
  async ask(sender: Sender, url: string, payload: object | undefined, what: string, signal: AbortSignal) {
    const answer = await this.send(sender, url, payload, signal);
    if (answer.status >= 300) throw refusal(answer, this.server, what);
    return answer;
  }

  /** The same with the JSON of the answer. */
  async askJson(sender: Sender, url: string, payload: object | undefined, what: string, signal: AbortSignal) {
    const answer = await this.ask(sender, url, payload, what, signal);
    return { answer, body: this.json(answer).body };
  }

  /** The JSON of an answer that is no refusal. */
  json(answer: HttpAnswer): JsonAnswer {
    return jsonOf(answer, this.server, undefined);
  }

  /** A signed request and whatever is answered, but for nonces that the server doesn't take. */
  async send(
    { key, url: kid }: Sender,
    url: string,
    payload: object | undefined,
    signal: AbortSignal,
    accept = 'application/json',
  ): Promise<HttpAnswer> {
    for (let bad = 0; ; bad++) {
      const nonce = await this.#nonce(signal);
      const body = JSON.stringify(signedRequest(key, { url, nonce, kid }, payload));
      const headers = { 'content-type': 'application/jose+json', accept };
      const answer = await this.#http.exchange({ method: 'POST', path: this.#pathOf(url), headers, body }, signal);
      const isBad = answer.status >= 400 && problemIn(answer).type === 'badNonce';
      // What was handed out together with it may have been lost with it.
      if (isBad) this.#nonces = [];
      this.#keepNonce(answer);
      if (!isBad || bad + 1 >= MOST_BAD_NONCES) return answer;
    }
  }

  certificates(sender: Sender, url: string, signal: AbortSignal): Promise<HttpAnswer> {
    return this.send(sender, url, undefined, signal, CERTIFICATES);
  }

  /** An unsigned request, as renewal information is asked for. */
  get(url: string, signal: AbortSignal): Promise<HttpAnswer> {
    return this.#http.exchange({ method: 'GET', path: this.#pathOf(url), isAside: true }, signal);
  }

  async #nonce(signal: AbortSignal): Promise<string> {
    const known = this.#nonces.pop();
    if (known !== undefined) return known;
    const { newNonce } = await this.directory(signal);
    const answer = await this.#http.exchange({ method: 'HEAD', path: this.#pathOf(newNonce) }, signal);
    if (answer.status >= 300) throw refusal(answer, this.server, 'a new nonce');
    const nonce = answer.headers['replay-nonce'] ?? '';
    if (NONCE.test(nonce)) return nonce;
    throw new AuthorityError('InvalidAnswer', `${this.server} answered to newNonce without a nonce`);
  }

  #keepNonce({ headers }: HttpAnswer): void {
    const nonce = headers['replay-nonce'];
    if (nonce !== undefined && NONCE.test(nonce) && this.#nonces.length < MOST_NONCES) this.#nonces.push(nonce);
  }

  #pathOf(url: string): string {
    const { pathname, search } = new URL(ownUrl(url, this.#address, 'the URL of a request'));
    return `${pathname}${search}`;
  }
}

function unproven({ code, message, retryAfterMs }: CertwheelError): AuthorityError {
  return new AuthorityError(code, message, { retryAfterMs, unproven: true });
}

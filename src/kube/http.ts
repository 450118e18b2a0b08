import type { Dispatcher } from 'undici';
import { BoundedBody } from '../bounded-body.ts';
import { ApiError } from '../errors.ts';

export const USER_AGENT = 'certwheel';

export interface HttpRequest {
  dispatcher: Dispatcher;
  origin: string;
  path: string;
  method: 'GET' | 'POST' | 'PATCH' | 'DELETE';
  headers: Record<string, string>;
  body?: string | undefined;
  timeoutMs: number;
  maxBytes: number;
  signal?: AbortSignal | undefined;
  /** Asked at the last moment, when a connection is free and before the first byte. */
  mayBeSent?: (() => boolean) | undefined;
}

export interface HttpAnswer {
  status: number;
  retryAfter: string | undefined;
  body: string;
}

/** No answer came: the request may or may not have been carried out. */
export class NoAnswer extends ApiError {
  /** The connection died before the first byte of an answer, as one does that idled longer than the server allows. */
  readonly connectionDied: boolean;

  constructor(reason: string, message: string, cause: unknown, connectionDied = false) {
    super(0, reason, message, { cause });
    this.connectionDied = connectionDied;
  }
}

/**
 * Sends one request and collects the answer. It listens to undici's dispatcher directly, without a stream and a signal
 * per request, which takes a tenth off the cost of a call and bounds the answer as it arrives.
 */
export function send(request: HttpRequest): Promise<HttpAnswer> {
  return new Promise((resolve, reject) => {
    const exchange = new Exchange(request, resolve, reject);
    if (request.signal?.aborted) return exchange.giveUp('Aborted', 'given up before it was sent');
    const { dispatcher, origin, path, method, headers, body } = request;
    try {
      dispatcher.dispatch({ origin, path, method, headers, body: body ?? null }, exchange);
    } catch (error) {
      exchange.onResponseError(undefined, error);
    }
  });
}

class Exchange implements Dispatcher.DispatchHandler {
  readonly #request: HttpRequest;
  readonly #resolve: (answer: HttpAnswer) => void;
  readonly #reject: (error: Error) => void;
  readonly #timer: NodeJS.Timeout;
  readonly #onAbort: (() => void) | undefined;
  #controller: Dispatcher.DispatchController | undefined;
  #settled = false;
  #status = 0;
  #retryAfter: string | undefined;
  readonly #body: BoundedBody;

  constructor(request: HttpRequest, resolve: (answer: HttpAnswer) => void, reject: (error: Error) => void) {
    this.#request = request;
    this.#body = new BoundedBody(request.maxBytes);
    this.#resolve = resolve;
    this.#reject = reject;
    this.#timer = setTimeout(
      () => this.giveUp('Timeout', `no answer within ${request.timeoutMs} ms`),
      request.timeoutMs,
    );
    if (request.signal) {
      this.#onAbort = () => this.giveUp('Aborted', 'given up while waiting for the answer');
      request.signal.addEventListener('abort', this.#onAbort, { once: true });
    }
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller;
    if (this.#request.mayBeSent?.() === false) this.giveUp('NotLeading', 'another replica leads');
    // It was given up while it waited for a free connection: it must not be sent any more.
    if (this.#settled) controller.abort(new Error('given up'));
  }

  onResponseStart(
    _controller: Dispatcher.DispatchController,
    status: number,
    headers: Record<string, string | string[] | undefined>,
  ): void {
    if (status < 200) return;
    this.#status = status;
    const retryAfter = headers['retry-after'];
    this.#retryAfter = Array.isArray(retryAfter) ? retryAfter[0] : retryAfter;
  }

  onResponseData(_controller: Dispatcher.DispatchController, chunk: Buffer): void {
    if (!this.#body.push(chunk))
      this.giveUp('AnswerTooLarge', `the answer is larger than ${this.#request.maxBytes} bytes`);
  }

  onResponseEnd(): void {
    if (!this.#settle()) return;
    this.#resolve({ status: this.#status, retryAfter: this.#retryAfter, body: this.#body.toString() });
  }

  onResponseError(_controller: unknown, error: unknown): void {
    if (this.#settle()) this.#reject(connectionError(error, this.#status === 0));
  }

  giveUp(reason: string, message: string): void {
    if (!this.#settle()) return;
    this.#controller?.abort(new Error(message));
    this.#reject(new NoAnswer(reason, message, this.#request.signal?.reason));
  }

  #settle(): boolean {
    if (this.#settled) return false;
    this.#settled = true;
    clearTimeout(this.#timer);
    if (this.#onAbort) this.#request.signal?.removeEventListener('abort', this.#onAbort);
    return true;
  }
}

const DIED = new Set(['UND_ERR_SOCKET', 'ECONNRESET', 'EPIPE']);

/** What undici or the system throws, in our words: never an answer, so never a status. */
export function connectionError(error: unknown, beforeAnswer: boolean): NoAnswer {
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  if (code === 'UND_ERR_BODY_TIMEOUT') return new NoAnswer('Idle', 'nothing arrived for too long', error);
  if (code.endsWith('_TIMEOUT') || code === 'ETIMEDOUT')
    return new NoAnswer('Timeout', `no connection or no answer in time (${code})`, error);
  const message = error instanceof Error && error.message !== '' ? error.message : code || String(error);
  return new NoAnswer('ConnectionFailed', message, error, beforeAnswer && DIED.has(code));
}

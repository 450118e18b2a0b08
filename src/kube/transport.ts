import type { Clock } from '../clock.ts';
import { ApiError, NO_CREDENTIALS } from '../errors.ts';
import { messageOf } from '../thrown.ts';
import { parseBody, refusal } from './answer.ts';
import type { Connection, ConnectionSource } from './auth.ts';
import { type HttpRequest, NoAnswer, send, USER_AGENT } from './http.ts';
import type { CallOptions, WatchOptions } from './options.ts';
import { openWatch, type WatchStream } from './watch-stream.ts';

export type Verb = 'get' | 'list' | 'apply' | 'patch' | 'create' | 'delete' | 'watch';

/** One request, for metrics; a status of 0 means that no answer came, 200 stands for any success. */
export interface Observation {
  verb: Verb;
  /** The plural of a resource, or `version`. */
  resource: string;
  status: number;
  seconds: number;
}

export interface TransportOptions {
  connections: ConnectionSource;
  clock: Clock;
  /** Called after each request. Must not throw. */
  onRequest?: ((observation: Observation) => void) | undefined;
  /** Whether a write to this resource may still leave; one that waited for a connection while we were frozen may not. */
  mayWrite?: ((resource: string) => boolean) | undefined;
}

export interface Call extends CallOptions {
  verb: Verb;
  resource: string;
  method: HttpRequest['method'];
  path: string;
  contentType?: string;
  body?: string;
  maxBytes?: number;
}

const TIMEOUT_MS = 30_000;
/** etcd keeps no object above 1.5 MB; this much is room for what JSON and managedFields add. */
const MAX_OBJECT_BYTES = 16 * 2 ** 20;

/**
 * Carries calls to the API server. Nothing is tried again here, save a request after its credentials were renewed, and a
 * read whose idle connection had died.
 */
export class Transport {
  readonly #connections: ConnectionSource;
  readonly #clock: Clock;
  readonly #onRequest: ((observation: Observation) => void) | undefined;
  readonly #mayWrite: ((resource: string) => boolean) | undefined;

  constructor(options: TransportOptions) {
    this.#connections = options.connections;
    this.#clock = options.clock;
    this.#onRequest = options.onRequest;
    this.#mayWrite = options.mayWrite;
  }

  json<T>(call: Call): Promise<T> {
    return this.#observed(call.verb, call.resource, (connection) => this.#exchange<T>(connection, call));
  }

  watch(resource: string, path: string, options: WatchOptions): Promise<WatchStream> {
    const { idleMs, signal, onBytes } = options;
    return this.#observed('watch', resource, (connection) =>
      openWatch({
        connection,
        path: below(connection, path),
        headersTimeoutMs: TIMEOUT_MS,
        idleMs,
        signal,
        onBytes,
        clock: this.#clock,
      }),
    );
  }

  /** Gives up whatever is running. */
  close(): Promise<void> {
    return this.#connections.close();
  }

  async #observed<T>(verb: Verb, resource: string, attempt: (connection: Connection) => Promise<T>): Promise<T> {
    const started = this.#clock.monotonicMs();
    let status = 200;
    try {
      return await this.#authenticated(attempt);
    } catch (error) {
      status = error instanceof ApiError ? error.status : 0;
      throw error;
    } finally {
      this.#onRequest?.({ verb, resource, status, seconds: (this.#clock.monotonicMs() - started) / 1_000 });
    }
  }

  /** Does it again, once, when the credentials were refused and re-reading them brought others. */
  async #authenticated<T>(attempt: (connection: Connection) => Promise<T>): Promise<T> {
    const connection = await this.#connection();
    try {
      return await attempt(connection);
    } catch (error) {
      if (!(error instanceof ApiError) || error.status !== 401) throw error;
      const fresh = await this.#connections.refreshed(connection).catch(() => undefined);
      if (!fresh) throw error;
      return attempt(fresh);
    }
  }

  async #exchange<T>(connection: Connection, call: Call): Promise<T> {
    const headers: Record<string, string> = {
      accept: 'application/json',
      'user-agent': USER_AGENT,
      ...connection.headers,
    };
    if (call.contentType !== undefined) headers['content-type'] = call.contentType;
    const request: HttpRequest = {
      dispatcher: connection.dispatcher,
      origin: connection.server.origin,
      path: below(connection, call.path),
      method: call.method,
      headers,
      body: call.body,
      timeoutMs: call.timeoutMs ?? TIMEOUT_MS,
      maxBytes: call.maxBytes ?? MAX_OBJECT_BYTES,
      signal: call.signal,
      mayBeSent: call.method === 'GET' ? undefined : () => this.#mayWrite?.(call.resource) ?? true,
    };
    const answer = await send(request).catch((error: unknown) => {
      if (call.method === 'GET' && error instanceof NoAnswer && error.connectionDied) return send(request);
      throw error;
    });
    if (answer.status < 200 || answer.status > 299) throw refusal(answer, this.#clock, call.resource);
    return parseBody<T>(answer);
  }

  async #connection(): Promise<Connection> {
    try {
      return await this.#connections.get();
    } catch (error) {
      throw new ApiError(0, NO_CREDENTIALS, messageOf(error), { cause: error });
    }
  }
}

/** The server may live below a path of its own, as behind Rancher. */
function below({ server }: Connection, path: string): string {
  return server.pathname === '/' ? path : server.pathname.replace(/\/$/, '') + path;
}

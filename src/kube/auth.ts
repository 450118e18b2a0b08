import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { AgentOptions, RequestOptions } from 'node:https';
import type { Dispatcher } from 'undici';
import type { Clock } from '../clock.ts';
import type { Logger } from '../log.ts';
import { messageOf } from '../thrown.ts';
import { buildDispatchers, type Dispatchers } from './dispatchers.ts';
import type { KubeConfig } from './kubeconfig.ts';
import { findSource, firstLine, KubeconfigError, type KubeconfigSource } from './kubeconfig.ts';

/** Where the API server is, and how to speak to it right now. */
export interface Connection {
  server: URL;
  /** Requests; the number of its connections is capped. */
  dispatcher: Dispatcher;
  /** Watches hold their connection for minutes, so they must not take those of the requests. */
  watchDispatcher: Dispatcher;
  /** Authorization and impersonation; never to be logged. */
  headers: Readonly<Record<string, string>>;
}

export interface ConnectionSource {
  /** The connection to use; waits only the first time. */
  get(): Connection | Promise<Connection>;
  /** After a 401: re-reads the credentials and answers the connection to try again with, or undefined if they are the same. */
  refreshed(refused: Connection): Promise<Connection | undefined>;
  /** Gives up all requests and watches. */
  close(): Promise<void>;
}

export interface AuthOptions {
  /** Path of a kubeconfig; otherwise $KUBECONFIG, the Pod's service account, ~/.kube/config. */
  kubeconfig?: string | undefined;
  clock: Clock;
  logger: Logger;
}

const CHECK_EVERY_MS = 10_000;
/** An API server that refuses everybody must not make us run an exec plugin for each request. */
const FORCED_AT_MOST_EVERY_MS = 5_000;
const LOAD_TIMEOUT_MS = 20_000;
/** A request that took the old dispatcher a moment ago still has to be able to use it. */
const CLOSE_REPLACED_AFTER_MS = 1_000;

interface Loaded {
  connection: Connection;
  dispatchers: Dispatchers;
  fingerprint: string;
}

/** Keeps a connection to the API server whose credentials follow their files, tokens and plugins. */
export class KubeconfigConnection implements ConnectionSource {
  readonly #source: KubeconfigSource;
  readonly #clock: Clock;
  readonly #logger: Logger;
  #config: KubeConfig | undefined;
  #configText = '';
  #loaded: Loaded | undefined;
  #loading: Promise<Connection> | undefined;
  #forcing: Promise<Connection> | undefined;
  #turn = 0;
  #checkedAt = Number.NEGATIVE_INFINITY;
  #forcedAt = Number.NEGATIVE_INFINITY;
  #closed = false;

  constructor(options: AuthOptions) {
    this.#source = findSource(options.kubeconfig);
    this.#clock = options.clock;
    this.#logger = options.logger;
  }

  get(): Connection | Promise<Connection> {
    if (!this.#loaded) return this.#load(false);
    if (this.#clock.monotonicMs() - this.#checkedAt >= CHECK_EVERY_MS) {
      // The credential in use is still good, or a 401 will say so: no request waits for a slow exec plugin.
      this.#load(false).catch((error: unknown) =>
        this.#logger.warn('credentials of the API server could not be re-read; the last ones stay in use', {
          source: this.#source.name,
          error: messageOf(error),
        }),
      );
    }
    return this.#loaded.connection;
  }

  async refreshed(refused: Connection): Promise<Connection | undefined> {
    const current = this.#loaded?.connection;
    if (current && current !== refused) return current;
    const now = this.#clock.monotonicMs();
    if (!this.#forcing && now - this.#forcedAt < FORCED_AT_MOST_EVERY_MS) return undefined;
    this.#forcedAt = now;
    this.#forcing ??= this.#load(true).finally(() => {
      this.#forcing = undefined;
    });
    const fresh = await this.#forcing;
    return fresh === refused ? undefined : fresh;
  }

  async close(): Promise<void> {
    this.#closed = true;
    await this.#loaded?.dispatchers.destroy();
  }

  #load(force: boolean): Promise<Connection> {
    this.#checkedAt = this.#clock.monotonicMs();
    // A forced load may not join a routine one: that may be answered from the cache that the 401 has just refuted.
    if (this.#loading && !force) return this.#loading;
    const loading = withTimeout(this.#read(force), LOAD_TIMEOUT_MS, this.#source.name).finally(() => {
      if (this.#loading === loading) this.#loading = undefined;
    });
    this.#loading = loading;
    return loading;
  }

  async #read(force: boolean): Promise<Connection> {
    const turn = ++this.#turn;
    const config = this.#currentConfig(force);
    const options: RequestOptions = {};
    try {
      await config.applyToHTTPSOptions(options);
    } catch (error) {
      throw new KubeconfigError(
        this.#source.name,
        `its credentials can't be read: ${firstLine(error)}`,
        'check the files and the exec plugin that it names',
      );
    }
    const cluster = config.getCurrentCluster();
    if (!cluster || this.#closed)
      throw new KubeconfigError(
        this.#source.name,
        'its current context names no cluster',
        'kubectl config use-context <name> chooses another',
      );
    const headers = authHeaders(options);
    const chosen = config.createDispatcherOptions(cluster, options as AgentOptions);
    const fingerprint = createHash('sha256')
      .update(JSON.stringify([cluster.server, chosen]))
      .digest('hex');

    const previous = this.#loaded;
    // A slower read that began earlier mustn't bring back what has been replaced.
    if (previous && turn !== this.#turn) return previous.connection;
    if (previous?.fingerprint === fingerprint) {
      if (JSON.stringify(previous.connection.headers) !== JSON.stringify(headers))
        previous.connection = { ...previous.connection, headers };
      return previous.connection;
    }
    const dispatchers = buildDispatchers(chosen, this.#source.name);
    const { requests: dispatcher, watches: watchDispatcher } = dispatchers;
    this.#loaded = {
      connection: { server: new URL(cluster.server), dispatcher, watchDispatcher, headers },
      dispatchers,
      fingerprint,
    };
    if (previous) {
      this.#logger.info('credentials of the API server changed; new connections use them', {
        source: this.#source.name,
      });
      setTimeout(() => void previous.dispatchers.close(), CLOSE_REPLACED_AFTER_MS).unref();
    }
    return this.#loaded.connection;
  }

  /** The authenticators inside a KubeConfig cache tokens, so only a new one is sure to look again. */
  #currentConfig(force: boolean): KubeConfig {
    const text = this.#source.files.map(readIfThere).join('\n');
    if (!this.#config || force || text !== this.#configText) {
      this.#config = this.#source.load();
      this.#configText = text;
    }
    return this.#config;
  }
}

function authHeaders(options: RequestOptions): Record<string, string> {
  const headers: Record<string, string> = {};
  for (const [name, value] of Object.entries(options.headers ?? {})) {
    // A token file may end with a newline, which no header may contain.
    if (value !== undefined) headers[name.toLowerCase()] = String(value).trim();
  }
  if (options.auth) headers.authorization = `Basic ${Buffer.from(options.auth).toString('base64')}`;
  return headers;
}

function readIfThere(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}

async function withTimeout<T>(work: Promise<T>, ms: number, source: string): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(
      () =>
        reject(
          new KubeconfigError(
            source,
            `its credentials took longer than ${ms / 1000} s`,
            'check the exec plugin or identity provider that it names',
          ),
        ),
      ms,
    );
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}

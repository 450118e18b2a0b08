import { issueClient, type Pair } from './certificates.ts';
import { type ApiServerOptions, apiServerArguments } from './flags.ts';
import type { Guard, GuardedProcess } from './guard.ts';
import type { Layout } from './layout.ts';
import { getStatus, LogPart, retryWhilePortTaken, waitUntilReady } from './ready.ts';

/** An open watch would hold up an orderly end for a minute, and a controller under test always has one open. */
const graceMs = 1000;

/** One API server on one port, which it keeps over restarts, so that kubeconfigs stay valid. */
export class ApiServer {
  readonly url: string;
  readonly admin: Pair;
  readonly #guard: Guard;
  readonly #program: string;
  readonly #layout: Layout;
  readonly #options: ApiServerOptions;
  #process: GuardedProcess | undefined;

  constructor(guard: Guard, program: string, layout: Layout, options: ApiServerOptions) {
    this.url = `https://${layout.address}:${options.port}`;
    this.admin = issueClient(layout.issuer, 'certwheel-admin', ['system:masters']);
    this.#guard = guard;
    this.#program = program;
    this.#layout = layout;
    this.#options = options;
  }

  /** Another process may have been given our port while we were down; we then wait a little for it to leave. */
  restart(): Promise<void> {
    return retryWhilePortTaken(100, () => this.start());
  }

  async start(): Promise<void> {
    if (this.#process !== undefined && this.#process.ending() === undefined) {
      return;
    }
    const log = new LogPart(this.#layout.log('kube-apiserver'));
    this.#process = this.#guard.run('kube-apiserver', this.#program, apiServerArguments(this.#layout, this.#options), {
      folder: this.#layout.folder,
      logPath: log.path,
    });
    await waitUntilReady(this.#process, log, () => this.#isReady());
  }

  async stop(patienceMs = graceMs): Promise<void> {
    await this.#process?.stop(patienceMs);
  }

  /** /readyz says yes a moment before the API server has made the default namespace, which every test expects. */
  async #isReady(): Promise<boolean> {
    for (const path of ['/readyz', '/api/v1/namespaces/default']) {
      if ((await getStatus(`${this.url}${path}`, this.#layout.issuer.certificatePem, this.admin)) !== 200) {
        return false;
      }
    }
    return true;
  }
}

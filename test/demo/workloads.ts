import { setTimeout as sleep } from 'node:timers/promises';
import type { Mounted } from './mounted.ts';
import { shakeHands } from './mtls-client.ts';
import { type MtlsServer, startMtlsServer } from './mtls-server.ts';
import type { Story } from './story.ts';

/** Two clients at ten handshakes a second each. */
const PACE_MS = 100;

/** A server and its clients, as pods would run them: each knows nothing but the files that are mounted into it. */
export class Workloads {
  readonly #story: Story;
  readonly #server: MtlsServer;
  readonly #stopping = new AbortController();
  readonly #clients: Promise<void>[];

  static async start(story: Story, serverName: string, clientNames: readonly string[]): Promise<Workloads> {
    return new Workloads(
      story,
      await startMtlsServer(filesOf(story, serverName), (reason) => story.refusedByServer(reason)),
      clientNames,
    );
  }

  private constructor(story: Story, server: MtlsServer, clientNames: readonly string[]) {
    this.#story = story;
    this.#server = server;
    this.#clients = clientNames.map((name) => this.#client(name));
  }

  reloadServer(files: Mounted): void {
    this.#server.reload(files);
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    await Promise.all(this.#clients);
    await this.#server.close();
  }

  async #client(name: string): Promise<void> {
    const { signal } = this.#stopping;
    while (!signal.aborted) {
      const files = filesOf(this.#story, name);
      const pause = sleep(PACE_MS, undefined, { signal }).catch(() => {});
      await shakeHands(this.#server.port, files).then(
        (serverSerial) => this.#story.shookHands(files.serial, serverSerial),
        (error: Error) => this.#story.failedToShakeHands(name, error),
      );
      await pause;
    }
  }
}

function filesOf(story: Story, name: string): Mounted {
  const files = story.certificate(name).mounted;
  if (files === undefined) throw new Error(`the Secret of ${name} is not there yet`);
  return files;
}

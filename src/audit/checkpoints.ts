import { AUDIT_CHECKPOINT_NAME } from '../api/books-names.ts';
import { CONFIG_MAPS } from '../api/names.ts';
import type { RawObject } from '../api/parse.ts';
import type { Clock } from '../clock.ts';
import { ApiError } from '../errors.ts';
import type { KubeClient } from '../kube/client.ts';
import { CREATE_ONLY } from '../kube/object.ts';
import type { Logger } from '../log.ts';
import { messageOf } from '../thrown.ts';
import { readCheckpoints, withCheckpoint } from './checkpoint.ts';
import type { Place } from './line.ts';

export interface CheckpointDeps {
  readonly client: Pick<KubeClient, 'get' | 'apply'>;
  readonly clock: Clock;
  readonly log: Pick<Logger, 'warn'>;
  /** Of the ConfigMap. */
  readonly namespace: string;
  /** The last line that was written, once the disk has it; undefined where there is none. */
  written(): Promise<Place | undefined>;
}

/** Between two writes. */
const INTERVAL_MS = 60_000;
/** Lines that come together are noted together. */
const TOGETHER_MS = 1_000;
const WRITE_ATTEMPTS = 4;
/** The end of the process doesn't wait longer for an API server that is away. */
const TIMEOUT_MS = 5_000;

/** Notes in the cluster how far the log was written: at most once a minute, and only after lines were written. */
export class Checkpoints {
  readonly #deps: CheckpointDeps;
  readonly #stopping = new AbortController();
  #lastMs = Number.NEGATIVE_INFINITY;
  #isTimed = false;
  #noted: Place | undefined;
  /** The ConfigMap as it is known; other replicas write it too. */
  #known: RawObject | undefined;

  constructor(deps: CheckpointDeps) {
    this.#deps = deps;
  }

  /** Lines were written. */
  wake(): void {
    if (!this.#isTimed) void this.#later();
  }

  /** Notes the last line, whatever the time. Never rejects. */
  async close(): Promise<void> {
    this.#stopping.abort();
    await this.#note();
  }

  async #later(): Promise<void> {
    const { clock } = this.#deps;
    this.#isTimed = true;
    try {
      const waitMs = Math.max(TOGETHER_MS, this.#lastMs + INTERVAL_MS - clock.monotonicMs());
      await clock.sleep(waitMs, this.#stopping.signal);
    } catch {
      return;
    } finally {
      this.#isTimed = false;
    }
    await this.#note();
  }

  async #note(): Promise<void> {
    const { clock, log, namespace, written } = this.#deps;
    this.#lastMs = clock.monotonicMs();
    const place = await written();
    if (place === undefined || place.hash === this.#noted?.hash) return;
    try {
      await this.#write(place);
      this.#noted = place;
    } catch (error) {
      const object = `${namespace}/${AUDIT_CHECKPOINT_NAME}`;
      log.warn('the checkpoint of the audit log could not be written', { object, error: messageOf(error) });
      this.wake();
    }
  }

  async #write(place: Place): Promise<void> {
    const { client, clock, namespace } = this.#deps;
    for (let attempt = 1; ; attempt++) {
      const { resourceVersion = CREATE_ONLY } = this.#known?.metadata ?? {};
      const metadata = { namespace, name: AUDIT_CHECKPOINT_NAME, resourceVersion };
      const data = withCheckpoint(readCheckpoints(this.#known ?? {}), { ...place, time: clock.now().toISOString() });
      try {
        this.#known = await client.apply(CONFIG_MAPS, { metadata, data }, { timeoutMs: TIMEOUT_MS });
        return;
      } catch (error) {
        if (!(error instanceof ApiError) || error.status !== 409 || attempt === WRITE_ATTEMPTS) throw error;
        this.#known = await client.get(CONFIG_MAPS, namespace, AUDIT_CHECKPOINT_NAME, { timeoutMs: TIMEOUT_MS });
      }
    }
  }
}

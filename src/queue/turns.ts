import { setImmediate } from 'node:timers/promises';
import type { Clock } from '../clock.ts';

const LONGEST_TURN_MS = 20;

/**
 * Pieces of work that wait for nothing follow each other in one turn of the event loop, in which no timer fires and no answer is
 * read. After a start there may be a hundred thousand of them, and a minute without a turn would cost the Lease.
 */
export class Turns {
  readonly #clock: Pick<Clock, 'monotonicMs'>;
  #beganMs: number;
  /** The same for all that share the turns: turns of their own would follow each other in one. */
  #next: Promise<void> | undefined;

  constructor(clock: Pick<Clock, 'monotonicMs'>) {
    this.#clock = clock;
    this.#beganMs = clock.monotonicMs();
  }

  /** To be awaited between two pieces of work. */
  async end(): Promise<void> {
    if (this.#clock.monotonicMs() - this.#beganMs < LONGEST_TURN_MS) return;
    this.#next ??= setImmediate().then(() => {
      this.#beganMs = this.#clock.monotonicMs();
      this.#next = undefined;
    });
    await this.#next;
  }
}

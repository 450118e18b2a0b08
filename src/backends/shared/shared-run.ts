import { withinLimit } from '../http/client.ts';

/** One run of some work at a time, such as a login: concurrent callers share it, and one that gives up doesn't end it. */
export class SharedRun<T> {
  #running: Promise<T> | undefined;

  get(work: (signal: AbortSignal) => Promise<T>): Promise<T> {
    this.#running ??= withinLimit(new AbortController().signal, work).finally(() => {
      this.#running = undefined;
    });
    return this.#running;
  }
}

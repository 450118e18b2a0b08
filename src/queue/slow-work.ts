import type { Clock } from '../clock.ts';
import { type Call, Turnstile } from './turnstile.ts';

/**
 * The turnstile of work that takes long on this machine: few at once, namespaces take turns. A key that comes first to
 * this turnstile enters it, or is turned away and called. One that holds a place elsewhere already waits in `run`.
 */
export class SlowWork {
  readonly #turnstile: Turnstile;
  /** Of one key there may be several, such as the verifiers of an authority. */
  readonly #waiting = new Map<string, ReadonlySet<() => void>>();

  constructor(capacity: number, clock: Clock, call: Call) {
    this.#turnstile = new Turnstile({ capacity }, clock, (key) => {
      const waiting = this.#waiting.get(key);
      if (waiting === undefined) return call(key);
      // One of them enters, and the others are called again.
      for (const wake of waiting) wake();
      return true;
    });
  }

  /** See Turnstile. */
  enter(key: string, deadline: number | undefined): boolean {
    return this.#turnstile.enter(key, deadline);
  }

  leave(): void {
    this.#turnstile.leave();
  }

  /** Does the work when it is the turn of `key`. */
  async run<T>(key: string, deadline: number | undefined, work: () => Promise<T>, signal: AbortSignal): Promise<T> {
    for (;;) {
      // Before `enter`: the turnstile may call the key while it turns the key away.
      const turn = this.#turn(key, signal);
      if (this.#turnstile.enter(key, deadline)) {
        turn.leave();
        break;
      }
      await turn.called;
    }
    try {
      return await work();
    } finally {
      this.#turnstile.leave();
    }
  }

  #turn(key: string, signal: AbortSignal): { readonly called: Promise<void>; leave(): void } {
    const { promise: called, resolve, reject } = Promise.withResolvers<void>();
    // Where the turn isn't awaited, a stop is no unhandled rejection.
    called.catch(() => {});
    const leave = () => {
      const others = new Set(this.#waiting.get(key));
      others.delete(wake);
      if (others.size === 0) this.#waiting.delete(key);
      else this.#waiting.set(key, others);
      signal.removeEventListener('abort', aborted);
    };
    const wake = () => {
      leave();
      resolve();
    };
    const aborted = () => {
      leave();
      reject(signal.reason);
    };
    this.#waiting.set(key, new Set(this.#waiting.get(key)).add(wake));
    if (signal.aborted) aborted();
    else signal.addEventListener('abort', aborted);
    return { called, leave };
  }
}

import type { Clock } from '../clock.ts';
import { backoffMs } from '../queue/backoff.ts';
import type { Trouble } from '../trouble.ts';

const PROBE = { firstMs: 1_000, longestMs: 30_000 };
/** Where no certificate is needed any more, a request that failed is forgotten by a good probe so much later. */
const DOUBT_MS = 120_000;

/** Through which certificates come to an authority: so many at a time. */
export interface ConcurrencyLimit {
  setConcurrency(most: number): void;
}

interface UnprovenFailure {
  readonly trouble: Trouble;
  readonly sinceMs: number;
}

type State =
  | { readonly is: 'closed' }
  | { readonly is: 'open'; readonly trouble: Trouble; readonly doubt: UnprovenFailure | undefined }
  | { readonly is: 'trial'; readonly doubt: UnprovenFailure | undefined };

/**
 * Keeps certificates from an authority that is in trouble. While it is open, no request comes through, and the authority is
 * probed now and then, however many wait for it. After a good probe one certificate is tried, and when that was answered,
 * all. Reckoned on the monotonic clock: a wall clock that is set back must not put a probe off.
 */
export class Breaker {
  readonly #clock: Clock;
  readonly #door: ConcurrencyLimit | undefined;
  #state: State = { is: 'closed' };
  /** Failures in a row, of probes and of certificates on trial. */
  #attempts = 0;
  /** The next probe is due `ms` after `fromMs`; where it is shared, `ms` is divided by the share of this replica. */
  #pause = { fromMs: 0, ms: 0, isShared: false };
  /** Failures in all. */
  #failures = 0;

  readonly #share: () => number;

  /** `share` is the part of all probes that this replica makes. */
  constructor(clock: Clock, door: ConcurrencyLimit | undefined, share: () => number = () => 1) {
    this.#clock = clock;
    this.#share = share;
    this.#door = door;
  }

  /** Why no request comes through; undefined where one does. */
  get blockedBy(): Trouble | undefined {
    return this.#state.is === 'open' ? this.#state.trouble : undefined;
  }

  /** What is wrong as far as is known. It outlasts a probe: only a certificate shows that certificates can be had again. */
  get trouble(): Trouble | undefined {
    return this.#state.is === 'trial' ? this.#state.doubt?.trouble : this.blockedBy;
  }

  /** How long the next probe has to wait, in milliseconds; 0 where it may be made now. */
  get probeInMs(): number {
    if (this.#state.is !== 'open') return 0;
    const { fromMs, ms, isShared } = this.#pause;
    // The share at this moment: that of a new replica grows within seconds.
    return Math.max(0, fromMs + ms / (isShared ? this.#share() : 1) - this.#clock.monotonicMs());
  }

  /**
   * Begins a probe. What it answers is to be called with what was found; `retryAfterMs` is for how long the authority
   * asked to be left alone, if it did. A probe that was overtaken by a failure says nothing about what came after it.
   */
  probe(): (trouble: Trouble | undefined, retryAfterMs?: number) => void {
    const failures = this.#failures;
    return (trouble, retryAfterMs) => {
      if (failures === this.#failures) this.#probed(trouble, retryAfterMs);
    };
  }

  /** A certificate's request failed, and any other would have. The first time it is looked into at once. */
  failed(trouble: Trouble, retryAfterMs?: number): void {
    // What was under way together fails together.
    if (this.#state.is === 'open') return;
    const doubt = { trouble, sinceMs: this.#clock.monotonicMs() };
    this.#open(trouble, doubt, retryAfterMs ?? (this.#attempts === 0 ? 0 : undefined));
  }

  /** A certificate's request was answered, a denial included. True where that closes the half-open breaker. */
  answered(): boolean {
    if (this.#state.is !== 'trial') return false;
    this.#close();
    return true;
  }

  /** What it depends on has changed, so that the next probe need not wait. */
  probeNow(): void {
    this.#pause = { fromMs: 0, ms: 0, isShared: false };
    this.#attempts = 0;
  }

  #probed(trouble: Trouble | undefined, retryAfterMs: number | undefined): void {
    const doubt = this.#state.is === 'closed' ? undefined : this.#state.doubt;
    // The probe knows better what is wrong. While half open, a good probe is no news.
    if (trouble !== undefined) this.#open(trouble, doubt && { ...doubt, trouble }, retryAfterMs);
    else if (doubt !== undefined && this.#clock.monotonicMs() - doubt.sinceMs > DOUBT_MS) this.#close();
    else if (this.#state.is === 'open') {
      this.#state = { is: 'trial', doubt };
      this.#door?.setConcurrency(1);
    }
  }

  #open(trouble: Trouble, doubt: UnprovenFailure | undefined, waitMs: number | undefined): void {
    this.#state = { is: 'open', trouble, doubt };
    this.#failures++;
    this.#attempts++;
    const ms = waitMs ?? backoffMs(this.#attempts, PROBE, this.#clock.random());
    this.#pause = { fromMs: this.#clock.monotonicMs(), ms, isShared: waitMs === undefined };
    this.#door?.setConcurrency(0);
  }

  #close(): void {
    this.#state = { is: 'closed' };
    this.#attempts = 0;
    this.#door?.setConcurrency(Number.POSITIVE_INFINITY);
  }
}

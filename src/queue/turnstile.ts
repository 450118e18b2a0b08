import type { Clock } from '../clock.ts';
import { FairLine } from './fair-line.ts';

export interface Limits {
  /** How many may be inside at once. */
  readonly capacity: number;
  /** How many may enter in a time; `burst` of them at once after a pause. Undefined for no limit. */
  readonly rate?: { readonly requests: number; readonly perMs: number; readonly burst: number } | undefined;
}

/** For so long room is kept for one who was called; he may have been deleted since, or be in a long queue. */
const KEPT_MS = 1_000;
/** A little later, since a timer may be early. */
const LOOK_AGAIN_MS = KEPT_MS + 50;

/**
 * Keeps what is behind it (an authority) from being asked by too many at once or too often. Who can't enter is turned
 * away and called back when it is his turn (see FairLine), so that nobody holds a worker while he waits.
 */
export class Turnstile {
  readonly #limits: Limits;
  readonly #clock: Clock;
  readonly #call: (key: string) => void;
  readonly #line = new FairLine(({ key, at }) => this.#waiting.get(key) === at);
  /** Who waits, each with the number of his arrival. */
  readonly #waiting = new Map<string, number>();
  /** Who may enter but hasn't come yet, and when he was called, on the monotonic clock. */
  readonly #called = new Map<string, number>();
  #arrivals = 0;
  #inside = 0;
  /** See `admit`. */
  #most = Number.POSITIVE_INFINITY;
  /** A bucket that fills at the rate; each entry takes one. */
  #tokens: number;
  #filledAtMs: number;
  #timer: NodeJS.Timeout | undefined;

  constructor(limits: Limits, clock: Clock, call: (key: string) => void) {
    this.#limits = limits;
    this.#clock = clock;
    this.#call = call;
    this.#tokens = limits.rate?.burst ?? Number.POSITIVE_INFINITY;
    this.#filledAtMs = clock.monotonicMs();
  }

  /** Enters, and must `leave`; or is turned away and called back. `deadline` in milliseconds since the epoch, if any. */
  enter(key: string, deadline: number | undefined): boolean {
    const wasCalled = this.#called.delete(key);
    const nobodyIsFirst = this.#waiting.size === 0 || (this.#waiting.size === 1 && this.#waiting.has(key));
    if (this.#room() > 0 && (wasCalled || nobodyIsFirst)) {
      this.#waiting.delete(key);
      this.#inside++;
      this.#tokens--;
      return true;
    }
    const at = ++this.#arrivals;
    this.#waiting.set(key, at);
    this.#line.push({ key, at, deadline });
    this.#line.tidy(this.#waiting.size);
    this.#callNext();
    return false;
  }

  leave(): void {
    this.#inside--;
    this.#callNext();
  }

  /** From now on so many may be inside at once, if the limits allow as many; with 0, whoever comes waits. */
  admit(most: number): void {
    this.#most = most;
    this.#callNext();
  }

  /** Calls nobody any more. */
  close(): void {
    clearTimeout(this.#timer);
    this.#waiting.clear();
  }

  /** Calls as many as could enter now; whether they come is theirs to decide. */
  #callNext(): void {
    const nowMs = this.#clock.monotonicMs();
    for (const [key, atMs] of this.#called) if (nowMs - atMs >= KEPT_MS) this.#called.delete(key);
    for (let room = this.#room(); room > 0; room--) {
      const next = this.#line.pop();
      if (next === undefined) break;
      this.#waiting.delete(next.key);
      this.#called.set(next.key, nowMs);
      this.#call(next.key);
    }
    this.#lookAgainLater();
  }

  /** While somebody waits: when the next token is there, and now and then in case one who was called didn't come. */
  #lookAgainLater(): void {
    clearTimeout(this.#timer);
    if (this.#waiting.size === 0 || this.#most === 0) return;
    const { rate } = this.#limits;
    const tokenMs =
      rate === undefined || this.#tokens >= 1 ? LOOK_AGAIN_MS : ((1 - this.#tokens) * rate.perMs) / rate.requests;
    this.#timer = setTimeout(() => this.#callNext(), Math.min(LOOK_AGAIN_MS, Math.max(1, tokenMs))).unref();
  }

  /** For how many more there is room, those who were called included. */
  #room(): number {
    this.#fill();
    const places = Math.min(this.#limits.capacity, this.#most) - this.#inside;
    return Math.floor(Math.min(places, this.#tokens)) - this.#called.size;
  }

  #fill(): void {
    const { rate } = this.#limits;
    if (rate === undefined) return;
    const nowMs = this.#clock.monotonicMs();
    this.#tokens = Math.min(rate.burst, this.#tokens + ((nowMs - this.#filledAtMs) * rate.requests) / rate.perMs);
    this.#filledAtMs = nowMs;
  }
}

import { type Clock, clampDelay } from '../clock.ts';
import { CountedShare } from './counted-share.ts';
import { TurnLine } from './turn-line.ts';

export interface Limits {
  /** How many may be inside at once. */
  readonly capacity: number;
  /** How many may enter in a time; `burst` of them at once after a pause. Undefined for no limit. */
  readonly rate?: { readonly requests: number; readonly perMs: number; readonly burst: number } | undefined;
  /** The part of all that which counts here, in (0, 1]: other replicas have the rest. All without it. */
  readonly share?: (() => number) | undefined;
}

/** Says to a key that it is its turn; false where there is no such key any more. */
export type Call = (key: string) => boolean;

/** For so long a free place is kept for a key that was called; it may have been deleted since, or be in a long queue. */
const KEPT_MS = 1_000;
/** A timer may be early. */
const EARLY_MS = 20;
/** A key that was called and hasn't come for this long is forgotten, with its place in line. */
const FORGOTTEN_MS = 600_000;

/**
 * Keeps what is behind it (an authority) from being asked by too many at once or too often. Keys that can't enter are
 * turned away and called when it is their turn (see TurnLine), so that none holds a worker while it waits.
 *
 * A key that arrives enters if there is a free place that none ahead of it claims. Those that wait in line to be called
 * claim one, and those that were called, for a second. A key that comes later than that has kept its place in line.
 */
export class Turnstile {
  readonly #limits: Limits;
  readonly #share: CountedShare;
  readonly #clock: Clock;
  readonly #call: Call;
  readonly #line = new TurnLine();
  /** Keys in line that were called and haven't come yet, and when, on the monotonic clock. The oldest come first. */
  readonly #called = new Map<string, number>();
  /** The same of keys that were set aside, since they didn't come in time. */
  readonly #late = new Map<string, number>();
  #inside = 0;
  /** See `admit`. */
  #most = Number.POSITIVE_INFINITY;
  /** A bucket that fills at the rate; each entry takes one. */
  #tokens: number;
  #filledAtMs: number;
  #timer: NodeJS.Timeout | undefined;

  constructor(limits: Limits, clock: Clock, call: Call) {
    this.#limits = limits;
    this.#share = new CountedShare(limits.share);
    this.#clock = clock;
    this.#call = call;
    this.#tokens = limits.rate === undefined ? Number.POSITIVE_INFINITY : this.#burst(limits.rate.burst);
    this.#filledAtMs = clock.monotonicMs();
  }

  /** Enters, and must `leave`; or is turned away and called back. `deadline` in milliseconds since the epoch, if any. */
  enter(key: string, deadline: number | undefined): boolean {
    this.#passOver();
    const place = this.#line.put(key, deadline);
    this.#called.delete(key);
    this.#late.delete(key);
    const room = this.#room();
    const enters = this.#line.ahead(place, room) < room;
    if (enters) {
      this.#line.serve(key);
      this.#inside++;
      this.#tokens--;
    }
    this.#callNext();
    return enters;
  }

  /** Keys that are remembered: those in line, and those that were called and haven't come. */
  get size(): number {
    return this.#line.size + this.#late.size;
  }

  leave(): void {
    this.#inside--;
    this.#callNext();
  }

  /** From now on so many may be inside at once, if the limits allow as many; with 0, every key waits. */
  setConcurrency(most: number): void {
    this.#most = most;
    this.#callNext();
  }

  /** The share has changed: another one of the limits counts from now on. */
  reshare(): void {
    this.#callNext();
  }

  /** Calls no key any more. */
  close(): void {
    clearTimeout(this.#timer);
    this.#line.clear();
  }

  /** Calls as many as could enter now; whether they come is theirs to decide. */
  #callNext(): void {
    this.#passOver();
    while (!this.#callFirst());
    this.#lookAgainLater();
  }

  /** False where a key is gone, which leaves its place to another one. */
  #callFirst(): boolean {
    const nowMs = this.#clock.monotonicMs();
    const next = [...this.#line.first(this.#room())].filter(({ key }) => !this.#called.has(key));
    for (const { key } of next) this.#called.set(key, nowMs);
    const gone = next.filter(({ key }) => !this.#call(key));
    for (const { key } of gone) {
      this.#called.delete(key);
      this.#line.drop(key);
    }
    return gone.length === 0;
  }

  /** Keys that were called and didn't come keep no other key waiting. */
  #passOver(): void {
    const nowMs = this.#clock.monotonicMs();
    for (const [key, atMs] of this.#called) {
      if (nowMs - atMs < KEPT_MS) break;
      this.#called.delete(key);
      this.#late.set(key, atMs);
      this.#line.setAside(key);
    }
    for (const [key, atMs] of this.#late) {
      if (nowMs - atMs < FORGOTTEN_MS) break;
      this.#late.delete(key);
      this.#line.drop(key);
    }
  }

  /** While a key waits: when the next token is there, and when the place of a called key is free again. */
  #lookAgainLater(): void {
    clearTimeout(this.#timer);
    if (this.#line.size === 0 || this.#most === 0) return;
    const [calledMs = Number.POSITIVE_INFINITY] = this.#called.values();
    const keptMs = calledMs + KEPT_MS + EARLY_MS - this.#clock.monotonicMs();
    const delayMs = clampDelay(Math.max(1, Math.min(this.#nextTokenMs(), keptMs)));
    this.#timer = setTimeout(() => this.#callNext(), delayMs).unref();
  }

  /** Until there is another token, where that makes room for another key. */
  #nextTokenMs(): number {
    const { rate } = this.#limits;
    const whole = Math.floor(this.#tokens);
    if (rate === undefined || whole >= this.#burst(rate.burst) || whole >= this.#places())
      return Number.POSITIVE_INFINITY;
    return ((whole + 1 - this.#tokens) * rate.perMs) / (rate.requests * this.#share.now);
  }

  /** How many more could be inside at this moment. */
  #room(): number {
    this.#fill();
    return Math.max(0, Math.floor(Math.min(this.#places(), this.#tokens)));
  }

  #places(): number {
    const capacity = Math.max(1, Math.floor(this.#limits.capacity * this.#share.now));
    return Math.min(capacity, this.#most) - this.#inside;
  }

  #fill(): void {
    const { rate } = this.#limits;
    if (rate === undefined) return;
    const nowMs = this.#clock.monotonicMs();
    const share = this.#share.sinceThen();
    const filled = ((nowMs - this.#filledAtMs) * rate.requests * share) / rate.perMs;
    this.#tokens = Math.min(this.#burst(rate.burst, share), this.#tokens + filled);
    this.#filledAtMs = nowMs;
  }

  /** At least one, since none would ever enter with less. */
  #burst(burst: number, share = this.#share.now): number {
    return Math.max(1, Math.floor(burst * share));
  }
}

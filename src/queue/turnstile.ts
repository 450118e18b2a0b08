import type { Clock } from '../clock.ts';
import { Heap } from './heap.ts';

export interface Limits {
  /** How many may be inside at once. */
  readonly capacity: number;
  /** How many may enter in a time; `burst` of them at once after a pause. Undefined for no limit. */
  readonly rate?: { readonly requests: number; readonly perMs: number; readonly burst: number } | undefined;
}

interface Waiting {
  readonly key: string;
  readonly urgency: number;
}

const LOOK_AGAIN_MS = 1_000;

/**
 * Keeps what is behind it (an authority) from being asked by too many at once or too often. Who can't enter is turned
 * away and called back when it is his turn, the most urgent first, so that nobody holds a worker while he waits.
 */
export class Turnstile {
  readonly #limits: Limits;
  readonly #clock: Clock;
  readonly #call: (key: string) => void;
  readonly #heap = new Heap<Waiting>((one, other) => one.urgency - other.urgency);
  readonly #waiting = new Map<string, number>();
  #inside = 0;
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

  /** Enters, and must `leave`; or is turned away and called back. A smaller `urgency` comes first. */
  enter(key: string, urgency: number): boolean {
    this.#waiting.delete(key);
    const first = this.#next();
    if (this.#room() > 0 && (first === undefined || urgency <= first.urgency)) {
      this.#inside++;
      this.#tokens--;
      return true;
    }
    this.#waiting.set(key, urgency);
    this.#heap.push({ key, urgency });
    this.#callNext();
    return false;
  }

  leave(): void {
    this.#inside--;
    this.#callNext();
  }

  /** Calls nobody any more. */
  close(): void {
    clearTimeout(this.#timer);
    this.#waiting.clear();
  }

  /** Calls as many as could enter now; whether they come is theirs to decide. */
  #callNext(): void {
    for (let room = this.#room(); room > 0; room--) {
      const next = this.#next();
      if (next === undefined) break;
      this.#waiting.delete(next.key);
      this.#call(next.key);
    }
    this.#lookAgainLater();
  }

  /** While somebody waits: when the next token is there, and now and then in case one who was called didn't come. */
  #lookAgainLater(): void {
    clearTimeout(this.#timer);
    if (this.#waiting.size === 0) return;
    const { rate } = this.#limits;
    const tokenMs =
      rate === undefined || this.#tokens >= 1 ? LOOK_AGAIN_MS : ((1 - this.#tokens) * rate.perMs) / rate.requests;
    this.#timer = setTimeout(() => this.#callNext(), Math.min(LOOK_AGAIN_MS, Math.max(1, tokenMs))).unref();
  }

  #room(): number {
    this.#fill();
    return Math.floor(Math.min(this.#limits.capacity - this.#inside, this.#tokens));
  }

  #fill(): void {
    const { rate } = this.#limits;
    if (rate === undefined) return;
    const nowMs = this.#clock.monotonicMs();
    this.#tokens = Math.min(rate.burst, this.#tokens + ((nowMs - this.#filledAtMs) * rate.requests) / rate.perMs);
    this.#filledAtMs = nowMs;
  }

  #next(): Waiting | undefined {
    for (let first = this.#heap.peek(); first !== undefined; first = this.#heap.peek()) {
      if (this.#waiting.get(first.key) === first.urgency) return first;
      this.#heap.pop();
    }
    return undefined;
  }
}

import type { Clock } from '../clock.ts';
import { Heap } from './heap.ts';

interface Entry {
  readonly key: string;
  /** Milliseconds since the epoch. */
  readonly at: number;
}

interface Ready extends Entry {
  readonly urgency: number;
}

/** By when a key should have been looked at, in milliseconds since the epoch; undefined for as soon as possible. */
export type UrgencyOf = (key: string) => number | undefined;

/**
 * The clock is asked at least this often, since a timer doesn't notice a clock that is set forward. Far below the
 * longest timer of Node (24.8 days), above which it fires at once.
 */
const LONGEST_NAP_MS = 5_000;
/** A wall clock that loses more than this against the monotonic one was set back, not slewed. */
const SET_BACK_MS = 1_000;
/** Who has waited this long is no longer overtaken by who is more urgent. */
const PATIENCE_MS = 60_000;

/**
 * Keys that want to be looked at, each with the moment from which on. A key is held by one worker at a time; of two
 * moments asked for one key the earlier wins; a key that is asked for while it is being worked on comes again.
 *
 * Of the keys whose moment has come the most urgent is handed out first, and what has waited longest where that is all
 * the same; but nobody is overtaken for ever, so neither the new nor the due can starve.
 */
export class WorkQueue {
  readonly #clock: Clock;
  readonly #heap = new Heap<Entry>((one, other) => one.at - other.at);
  readonly #ready = new Heap<Ready>((one, other) => one.urgency - other.urgency || one.at - other.at);
  /** The moment that counts for each waiting key; entries of the heaps that say otherwise are stale and skipped. */
  readonly #waiting = new Map<string, number>();
  readonly #running = new Set<string>();
  /** Asked for while running: the moment from which on it is wanted again. */
  readonly #again = new Map<string, number>();
  readonly #takers: ((key: string | undefined) => void)[] = [];
  #timer: NodeJS.Timeout | undefined;
  #closed = false;
  /** By how much the wall clock was ahead of the monotonic one at the last look. */
  #leadMs = Number.NEGATIVE_INFINITY;

  readonly #urgencyOf: UrgencyOf;

  constructor(clock: Clock, urgencyOf: UrgencyOf = () => undefined) {
    this.#clock = clock;
    this.#urgencyOf = urgencyOf;
    this.#wasSetBack();
  }

  /** Wants `key` now, or at `at` if that is later. */
  add(key: string, at: Date = this.#clock.now()): void {
    if (this.#closed) return;
    const moment = at.getTime();
    const wanted = this.#running.has(key) ? this.#again : this.#waiting;
    const known = wanted.get(key);
    if (known !== undefined && known <= moment) return;
    wanted.set(key, moment);
    if (wanted === this.#waiting) this.#push(key, moment);
  }

  /** Forgets what was wanted later; a run that is under way ends by itself. */
  forget(key: string): void {
    this.#waiting.delete(key);
    this.#again.delete(key);
  }

  /** The next key that is due, as soon as there is one; undefined once the queue is closed. */
  take(): Promise<string | undefined> {
    if (this.#closed) return Promise.resolve(undefined);
    return new Promise((resolve) => {
      this.#takers.push(resolve);
      this.#serve();
    });
  }

  /** Must be called by the worker that took `key`, whatever came of it. */
  done(key: string): void {
    this.#running.delete(key);
    const again = this.#again.get(key);
    this.#again.delete(key);
    if (again !== undefined) this.add(key, new Date(again));
  }

  /** Keys that could be worked on at this moment but wait for a worker. */
  depth(): number {
    const now = this.#clock.now().getTime();
    let ready = 0;
    for (const at of this.#waiting.values()) if (at <= now) ready++;
    return ready;
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#timer);
    for (const taker of this.#takers.splice(0)) taker(undefined);
  }

  #push(key: string, at: number): void {
    this.#heap.push({ key, at });
    // A key that is looked at often leaves an entry behind each time; drop them before they outnumber the living.
    if (this.#heap.size > 2 * this.#waiting.size + 64)
      this.#heap.keep((entry) => this.#waiting.get(entry.key) === entry.at);
    if (this.#takers.length > 0) this.#serve();
  }

  #serve(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#wasSetBack()) this.#wantAllNow();
    while (this.#takers.length > 0) {
      const soonest = this.#gatherReady();
      const next = first(this.#ready, this.#waiting);
      if (next === undefined) {
        if (soonest !== undefined)
          this.#timer = setTimeout(
            () => this.#serve(),
            Math.min(soonest - this.#clock.now().getTime(), LONGEST_NAP_MS),
          );
        return;
      }
      this.#ready.pop();
      this.#waiting.delete(next.key);
      this.#running.add(next.key);
      this.#takers.shift()?.(next.key);
    }
  }

  /** Moves the keys whose moment has come to those that are ready; answers the first moment that hasn't. */
  #gatherReady(): number | undefined {
    const now = this.#clock.now().getTime();
    for (;;) {
      const next = first(this.#heap, this.#waiting);
      if (next === undefined || next.at > now) return next?.at;
      this.#heap.pop();
      this.#ready.push({ ...next, urgency: Math.min(this.#urgencyOf(next.key) ?? next.at, next.at + PATIENCE_MS) });
    }
  }

  #wasSetBack(): boolean {
    const leadMs = this.#clock.now().getTime() - this.#clock.monotonicMs();
    const lostMs = this.#leadMs - leadMs;
    this.#leadMs = leadMs;
    return lostMs > SET_BACK_MS;
  }

  /**
   * After the clock was set back every moment in here lies too far ahead, "now" and "in a second" too, and nobody can
   * tell those from the moments that are still right. So each key is looked at, and says anew when it wants to be next.
   */
  #wantAllNow(): void {
    const now = this.#clock.now().getTime();
    this.#heap.keep(() => false);
    this.#ready.keep(() => false);
    for (const [key, at] of this.#waiting) {
      this.#waiting.set(key, Math.min(at, now));
      this.#heap.push({ key, at: Math.min(at, now) });
    }
    for (const [key, at] of this.#again) this.#again.set(key, Math.min(at, now));
  }
}

/** The first entry that still counts; stale ones are dropped on the way. */
function first<E extends Entry>(heap: Heap<E>, waiting: ReadonlyMap<string, number>): E | undefined {
  for (let entry = heap.peek(); entry !== undefined; entry = heap.peek()) {
    if (waiting.get(entry.key) === entry.at) return entry;
    heap.pop();
  }
  return undefined;
}

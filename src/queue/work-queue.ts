import { type Clock, clampDelay } from '../clock.ts';
import { FIRST, firstThat, type Waiter } from './due-and-fresh.ts';
import { Heap } from './heap.ts';
import { NamespaceLanes } from './namespace-lanes.ts';

interface Entry {
  readonly key: string;
  /** Milliseconds since the epoch. */
  readonly at: number;
  /** See `addFirst`. */
  readonly isFirst: boolean;
}

/** By when the work on a key should be done, in milliseconds since the epoch; undefined where there is no such moment. */
export type DeadlineOf = (key: string) => number | undefined;

/**
 * The clock is asked at least this often, since a timer doesn't notice a clock that is set forward. Far below the
 * longest timer of Node (24.8 days), above which it fires at once.
 */
const LONGEST_NAP_MS = 5_000;
/** A wall clock that loses more than this against the monotonic one was set back, not slewed. */
const SET_BACK_MS = 1_000;

/**
 * Keys that wait for a reconcile, each with the moment from which on. A key is held by one worker at a time; of two
 * moments asked for one key the earlier wins; a key that is asked for while it is being worked on comes again.
 *
 * Of the keys whose moment has come, NamespaceLanes says which is next.
 */
export class WorkQueue {
  readonly #clock: Clock;
  readonly #heap = new Heap<Entry>((one, other) => one.at - other.at);
  readonly #counts = (entry: Entry) => this.#waiting.get(entry.key) === entry;
  readonly #ready = new NamespaceLanes(({ key, at, deadline }: Waiter) => {
    const counts = this.#waiting.get(key);
    return counts?.at === at && counts.isFirst === (deadline === FIRST);
  });
  /** What counts for each waiting key; entries of the heaps that say otherwise are stale and skipped. */
  readonly #waiting = new Map<string, Entry>();
  readonly #running = new Set<string>();
  /** Asked for while running. */
  readonly #again = new Map<string, Entry>();
  readonly #takers: ((key: string | undefined) => void)[] = [];
  #timer: NodeJS.Timeout | undefined;
  #closed = false;
  /** By how much the wall clock was ahead of the monotonic one at the last look. */
  #leadMs = Number.NEGATIVE_INFINITY;

  readonly #deadlineOf: DeadlineOf;
  readonly #accepts: (key: string) => boolean;

  /** Keys that it doesn't accept are dropped: when they are added, and when their moment comes. */
  constructor(clock: Clock, deadlineOf: DeadlineOf = () => undefined, accepts: (key: string) => boolean = () => true) {
    this.#clock = clock;
    this.#deadlineOf = deadlineOf;
    this.#accepts = accepts;
    this.#wasSetBack();
  }

  /** Wants `key` now, or at `at` if that is later. */
  add(key: string, at: Date = this.#clock.now()): void {
    this.#add({ key, at: at.getTime(), isFirst: false });
  }

  /**
   * Wants `key` now, before all others that are due: a place is kept for it elsewhere, and for no longer than that. Other
   * keys still get every second turn, and all of them once its namespace has used up its head start (see NamespaceLanes).
   */
  addFirst(key: string): void {
    this.#add({ key, at: this.#clock.now().getTime(), isFirst: true });
  }

  /** The next key that is due, as soon as there is one; undefined once the queue is closed. */
  take(): Promise<string | undefined> {
    if (this.#closed) return Promise.resolve(undefined);
    return new Promise((resolve) => {
      this.#takers.push(resolve);
      this.#serve();
    });
  }

  /** Must be called by the worker that took `key`, whatever came of it; `spentMs` is the time that its lane is charged. */
  done(key: string, spentMs = 0): void {
    this.#running.delete(key);
    this.#ready.end(key, spentMs);
    const again = this.#again.get(key);
    this.#again.delete(key);
    if (again !== undefined) this.#add(again);
  }

  /** Keys that could be worked on at this moment but wait for a worker. */
  depth(): number {
    const now = this.#clock.now().getTime();
    let ready = 0;
    for (const { at } of this.#waiting.values()) if (at <= now) ready++;
    return ready;
  }

  /** The keys that workers hold. */
  running(): Iterable<string> {
    return this.#running;
  }

  /** Drops the keys that it doesn't accept any more. */
  tidy(): void {
    for (const keys of [this.#waiting, this.#again])
      for (const key of [...keys.keys()]) if (!this.#accepts(key)) keys.delete(key);
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#timer);
    for (const taker of this.#takers.splice(0)) taker(undefined);
  }

  #add(entry: Entry): void {
    if (this.#closed || !this.#accepts(entry.key)) return;
    const side = this.#running.has(entry.key) ? this.#again : this.#waiting;
    const known = side.get(entry.key);
    const at = Math.min(entry.at, known?.at ?? Number.POSITIVE_INFINITY);
    const isFirst = entry.isFirst || known?.isFirst === true;
    if (known !== undefined && known.at === at && known.isFirst === isFirst) return;
    // The text of the key as it is kept already: callers put theirs together anew.
    const wanted = { key: known?.key ?? entry.key, at, isFirst };
    if (side === this.#again) side.set(entry.key, wanted);
    else this.#push(wanted);
  }

  #push(entry: Entry): void {
    this.#waiting.set(entry.key, entry);
    this.#heap.push(entry);
    // A key that is added often leaves an entry behind each time; drop them before they are many.
    if (this.#heap.size > 1.25 * this.#waiting.size + 64) this.#heap.keep(this.#counts);
    if (this.#takers.length > 0) this.#serve();
  }

  #serve(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#wasSetBack()) this.#wantAllNow();
    while (this.#takers.length > 0) {
      const soonest = this.#gatherReady();
      const next = this.#ready.pop();
      if (next === undefined) {
        if (soonest !== undefined)
          this.#timer = setTimeout(
            () => this.#serve(),
            // Time has passed since it was compared, and Node complains about negative naps.
            clampDelay(Math.min(soonest - this.#clock.now().getTime(), LONGEST_NAP_MS)),
          );
        return;
      }
      this.#waiting.delete(next.key);
      if (!this.#accepts(next.key)) {
        this.#ready.end(next.key, 0);
        continue;
      }
      this.#running.add(next.key);
      this.#takers.shift()?.(next.key);
    }
  }

  /** Moves the keys whose moment has come to those that are ready; answers the first moment that hasn't. */
  #gatherReady(): number | undefined {
    const now = this.#clock.now().getTime();
    for (;;) {
      const next = firstThat(this.#counts, this.#heap);
      if (next === undefined || next.at > now) return next?.at;
      this.#heap.pop();
      this.#ready.push({ ...next, deadline: next.isFirst ? FIRST : this.#deadlineOf(next.key) });
      this.#ready.tidy(this.#waiting.size);
    }
  }

  #wasSetBack(): boolean {
    const leadMs = this.#clock.now().getTime() - this.#clock.monotonicMs();
    const lostMs = this.#leadMs - leadMs;
    this.#leadMs = leadMs;
    return lostMs > SET_BACK_MS;
  }

  /**
   * After the clock was set back every moment in here lies too far ahead, "now" and "in a second" too, and those look like
   * the moments that are still right. So each key is reconciled now, and gets its next moment anew.
   */
  #wantAllNow(): void {
    const now = this.#clock.now().getTime();
    this.#heap.keep(() => false);
    this.#ready.clear();
    for (const each of [...this.#waiting.values()]) {
      const entry = { ...each, at: Math.min(each.at, now) };
      this.#waiting.set(entry.key, entry);
      this.#heap.push(entry);
    }
    // A run under way may still want a moment of the clock from before.
    for (const key of this.#running)
      this.#again.set(key, { key, at: now, isFirst: this.#again.get(key)?.isFirst === true });
  }
}

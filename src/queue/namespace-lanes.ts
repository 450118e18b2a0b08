import { DueAndFresh, FIRST, firstThat, type Waiter } from './due-and-fresh.ts';
import { Heap } from './heap.ts';

/** The keys of one namespace. */
interface Lane {
  readonly name: string;
  readonly line: DueAndFresh;
  /** The time that its runs took, as start-time fair queuing counts it: a lane that was away starts at the floor. */
  spentMs: number;
  /** What a run is charged until it has ended. */
  expectedMs: number;
  /** When it was served last; of equals the one that waits longest is next. */
  turn: number;
  running: number;
  /** Its place in the order; undefined while nothing of it waits. */
  place: Place | undefined;
}

interface Place {
  readonly lane: Lane;
  readonly spentMs: number;
  readonly turn: number;
}

/** So that no lane gets an endless number of turns for nothing. */
const LEAST_CHARGE_MS = 0.1;
/** A run that hung for minutes must not bar its namespace for as long. */
const MOST_CHARGE_MS = 1_000;
/** Keys that are wanted first may use so much more than the share of their lane. */
const HEAD_START_MS = 1_000;
/** How much the latest run counts in what is expected of the next. */
const WEIGHT = 1 / 4;

/** The lane of a key: `namespace` of `namespace/name`, `kind/namespace` of `kind/namespace/name`, `kind` of `kind/name`. */
export function laneOf(key: string): string {
  return key.slice(0, Math.max(0, key.lastIndexOf('/')));
}

/**
 * Keys that are ready, in one lane a namespace. The lane whose runs have taken the least time is next, so a namespace
 * can't delay others by many keys, nor by keys whose runs take long. See DueAndFresh for the order inside a lane.
 *
 * Every second turn is for keys that are wanted first, if their lane hasn't used up its head start.
 */
export class NamespaceLanes {
  readonly #lanes = new Map<string, Lane>();
  /** Holds stale places too, which `firstThat` drops. */
  readonly #order = new Heap<Place>((one, other) => one.spentMs - other.spentMs || one.turn - other.turn);
  readonly #isCurrent = (place: Place) => place.lane.place === place;
  readonly #wantedFirst = new Heap<Waiter>((one, other) => one.at - other.at);
  readonly #runs = new Map<string, { readonly lane: Lane; readonly chargedMs: number }>();
  readonly #counts: (waiter: Waiter) => boolean;
  /** What the lane that was served last had spent: where a lane starts that was away. */
  #floorMs = 0;
  #mostMs = 0;
  #turns = 0;
  #pushes = 0;
  #firstIsNext = false;

  /** `counts` distinguishes the keys that still wait from those that were left behind in a heap. */
  constructor(counts: (waiter: Waiter) => boolean) {
    this.#counts = counts;
  }

  push(waiter: Waiter): void {
    const lane = this.#laneOf(waiter.key);
    lane.line.push(waiter);
    if (waiter.deadline === FIRST) this.#wantedFirst.push(waiter);
    this.#pushes++;
    if (lane.place !== undefined) return;
    lane.spentMs = Math.max(lane.spentMs, this.#floorMs);
    this.#putInOrder(lane);
  }

  /** Takes out the next key, whose run begins. */
  pop(): Waiter | undefined {
    const first = this.#firstIsNext ? this.#popFirst() : undefined;
    this.#firstIsNext = first === undefined;
    return first ?? this.#popTurn();
  }

  /** The run of a key that was taken out has ended, after so many milliseconds. */
  end(key: string, spentMs: number): void {
    const run = this.#runs.get(key);
    if (run === undefined) return;
    this.#runs.delete(key);
    const { lane, chargedMs } = run;
    const costMs = Math.min(Math.max(spentMs, LEAST_CHARGE_MS), MOST_CHARGE_MS);
    lane.expectedMs += (costMs - lane.expectedMs) * WEIGHT;
    lane.running--;
    this.#charge(lane, costMs - chargedMs);
  }

  /** Drops what was left behind, as soon as it outnumbers the `living`. */
  tidy(living: number): void {
    if (this.#pushes <= living + 64) return;
    this.#pushes = 0;
    this.#wantedFirst.keep(this.#counts);
    for (const lane of this.#lanes.values()) {
      lane.line.tidy();
      this.#dropIfUnused(lane);
    }
  }

  /** Entries that are held for keys, those left behind too. */
  get size(): number {
    let size = 0;
    for (const { line } of this.#lanes.values()) size += line.size;
    return size;
  }

  /** Lanes that are remembered. */
  get lanes(): number {
    return this.#lanes.size;
  }

  /** Forgets the keys that wait; what lanes have spent stays. */
  clear(): void {
    this.#wantedFirst.keep(() => false);
    this.#order.keep(() => false);
    for (const lane of this.#lanes.values()) {
      lane.line.clear();
      lane.place = undefined;
    }
  }

  /** A key that may not come first any more keeps its place at the head of its lane. */
  #popFirst(): Waiter | undefined {
    for (;;) {
      const wanted = firstThat(this.#counts, this.#wantedFirst);
      if (wanted === undefined) return undefined;
      this.#wantedFirst.pop();
      const lane = this.#laneOf(wanted.key);
      const first = lane.spentMs > this.#floorMs + HEAD_START_MS ? undefined : lane.line.popDue();
      if (first !== undefined) return this.#begin(lane, first);
    }
  }

  #popTurn(): Waiter | undefined {
    for (;;) {
      const place = firstThat(this.#isCurrent, this.#order);
      if (place === undefined) break;
      this.#order.pop();
      const { lane } = place;
      lane.place = undefined;
      const next = lane.line.pop();
      if (next === undefined) {
        this.#dropIfUnused(lane);
        continue;
      }
      this.#floorMs = Math.max(this.#floorMs, lane.spentMs);
      return this.#begin(lane, next);
    }
    // Nothing waits, so nothing has to be made up for.
    this.#floorMs = this.#mostMs;
    return undefined;
  }

  #begin(lane: Lane, waiter: Waiter): Waiter {
    lane.turn = ++this.#turns;
    lane.running++;
    this.#runs.set(waiter.key, { lane, chargedMs: lane.expectedMs });
    this.#charge(lane, lane.expectedMs);
    return waiter;
  }

  #charge(lane: Lane, ms: number): void {
    lane.spentMs += ms;
    this.#mostMs = Math.max(this.#mostMs, lane.spentMs);
    lane.place = undefined;
    if (lane.line.size > 0) this.#putInOrder(lane);
    else this.#dropIfUnused(lane);
  }

  #putInOrder(lane: Lane): void {
    lane.place = { lane, spentMs: lane.spentMs, turn: lane.turn };
    this.#order.push(lane.place);
    if (this.#order.size > 2 * this.#lanes.size + 64) this.#order.keep(this.#isCurrent);
  }

  /** A lane is remembered while it has keys, or has spent more than a new one would start with. */
  #dropIfUnused({ name, line, running, spentMs }: Lane): void {
    if (line.size === 0 && running === 0 && spentMs <= this.#floorMs) this.#lanes.delete(name);
  }

  #laneOf(key: string): Lane {
    const name = laneOf(key);
    let lane = this.#lanes.get(name);
    if (lane === undefined) {
      const line = new DueAndFresh(this.#counts);
      const expectedMs = LEAST_CHARGE_MS;
      lane = { name, line, spentMs: this.#floorMs, expectedMs, turn: 0, running: 0, place: undefined };
      this.#lanes.set(name, lane);
    }
    return lane;
  }
}

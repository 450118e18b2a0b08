import { laneOf } from './namespace-lanes.ts';
import { SortedList } from './sorted-list.ts';

/** A key in line. */
export interface Place {
  readonly key: string;
  /** Number of its arrival. */
  readonly at: number;
  /** By when the work should be done, in milliseconds since the epoch; undefined where there is no such moment. */
  readonly deadline: number | undefined;
}

/** The keys of one namespace: by deadline, and by arrival. */
interface Lane {
  readonly namespace: string;
  readonly due: SortedList<Place>;
  readonly fresh: SortedList<Place>;
  dueIsNext: boolean;
  /** Lanes are served in this order. */
  turn: number;
  /** Keys that were set aside. */
  absent: number;
}

/**
 * Keys (`namespace/name`) whose namespaces take turns, so that however many wait in one of them, the others are served as
 * often. Inside a namespace keys with a deadline and keys without one take turns; of the first the earliest deadline is
 * next, of the second the earliest arrival.
 *
 * Every key keeps its place until it is served or dropped: `ahead` and `first` only look.
 */
export class TurnLine {
  readonly #lanes = new Map<string, Lane>();
  readonly #places = new Map<string, Place>();
  /** Lanes with a key that isn't set aside, by turn. */
  readonly #rotation: Lane[] = [];
  #turns = 0;
  #arrivals = 0;
  readonly #aside = new Set<string>();

  /** Keys that are not set aside. */
  get size(): number {
    return this.#places.size - this.#aside.size;
  }

  /** Puts a key in line. One that has been there before keeps its arrival, and moves if its deadline is another. */
  put(key: string, deadline: number | undefined): Place {
    const known = this.#places.get(key);
    if (known !== undefined && known.deadline === deadline && !this.#aside.has(key)) return known;
    const lane = this.#laneOf(key);
    if (known !== undefined) this.#takeOut(known, lane);
    const place = { key, at: known?.at ?? ++this.#arrivals, deadline };
    lineOf(lane, place).add(place);
    this.#places.set(key, place);
    if (lengthOf(lane) === 1) this.#rotate(lane);
    return place;
  }

  /** Passes a key over until it is put in line again, where it keeps its place and its namespace its turn. */
  setAside(key: string): void {
    const place = this.#places.get(key);
    if (place === undefined || this.#aside.has(key)) return;
    const lane = this.#laneOf(key);
    this.#takeOut(place, lane);
    this.#aside.add(key);
    lane.absent++;
  }

  /** Takes a key out for good, and its namespace to the end. */
  serve(key: string): void {
    const place = this.#places.get(key);
    if (place === undefined) return;
    const lane = this.#laneOf(key);
    lane.dueIsNext = place.deadline === undefined;
    lane.turn = ++this.#turns;
    this.drop(key);
    if (lengthOf(lane) > 0) this.#rotate(lane);
  }

  /** Takes a key out as if it had never come. */
  drop(key: string): void {
    const place = this.#places.get(key);
    if (place === undefined) return;
    const lane = this.#laneOf(key);
    this.#takeOut(place, lane);
    this.#places.delete(key);
    if (lengthOf(lane) === 0 && lane.absent === 0) this.#lanes.delete(lane.namespace);
  }

  /** How many come before a key, as far as `limit`. */
  ahead(place: Place, limit: number): number {
    const own = this.#laneOf(place.key);
    const rank = rankIn(own, place);
    let ahead = rank;
    let isBehind = false;
    for (const lane of this.#rotation) {
      if (ahead >= limit || (isBehind && rank === 0)) break;
      if (lane === own) isBehind = true;
      else ahead += Math.min(lengthOf(lane), isBehind ? rank : rank + 1);
    }
    return ahead;
  }

  /** The keys that would be served next, in order. The line must not change meanwhile. */
  *first(count: number): Generator<Place> {
    let left = count;
    for (let round = 0, found = true; found; round++) {
      found = false;
      for (const lane of this.#rotation) {
        if (left < 1) return;
        const place = placeAt(lane, round);
        if (place === undefined) continue;
        found = true;
        left--;
        yield place;
      }
    }
  }

  clear(): void {
    for (const each of [this.#lanes, this.#places, this.#aside]) each.clear();
    this.#rotation.length = 0;
  }

  #laneOf(key: string): Lane {
    const namespace = laneOf(key);
    let lane = this.#lanes.get(namespace);
    if (lane === undefined) {
      const [due, fresh] = [new SortedList(isBefore), new SortedList(isBefore)];
      lane = { namespace, due, fresh, dueIsNext: false, turn: ++this.#turns, absent: 0 };
      this.#lanes.set(namespace, lane);
    }
    return lane;
  }

  #takeOut(place: Place, lane: Lane): void {
    if (this.#aside.delete(place.key)) lane.absent--;
    else {
      lineOf(lane, place).remove(place);
      if (lengthOf(lane) === 0) this.#rotation.splice(this.#rotation.indexOf(lane), 1);
    }
  }

  /** Puts a lane where its turn is, most often at the end. */
  #rotate(lane: Lane): void {
    const known = this.#rotation.indexOf(lane);
    if (known >= 0) this.#rotation.splice(known, 1);
    this.#rotation.splice(this.#rotation.findLastIndex(({ turn }) => turn < lane.turn) + 1, 0, lane);
  }
}

function lengthOf({ due, fresh }: Lane): number {
  return due.length + fresh.length;
}

function lineOf({ due, fresh }: Lane, { deadline }: Place): SortedList<Place> {
  return deadline === undefined ? fresh : due;
}

/** How many of its namespace come before it. */
function rankIn(lane: Lane, place: Place): number {
  const index = lineOf(lane, place).rank(place);
  const other = place.deadline === undefined ? lane.due : lane.fresh;
  const isFirstKind = (place.deadline !== undefined) === lane.dueIsNext;
  return index + Math.min(other.length, isFirstKind ? index : index + 1);
}

/** The one before which so many of its namespace come. */
function placeAt({ due, fresh, dueIsNext }: Lane, rank: number): Place | undefined {
  const [one, other] = dueIsNext ? [due, fresh] : [fresh, due];
  const inTurn = Math.min(one.length, other.length);
  if (rank < 2 * inTurn) return (rank % 2 === 0 ? one : other).at(rank >> 1);
  return (one.length > other.length ? one : other).at(rank - inTurn);
}

function isBefore(one: Place, other: Place): boolean {
  return ((one.deadline ?? 0) - (other.deadline ?? 0) || one.at - other.at) < 0;
}

import { isOlder } from '../api/parse.ts';
import { SortedList } from '../queue/sorted-list.ts';

export interface Place {
  /** Of the ClientCertificate. */
  readonly key: string;
  readonly createdAt: string;
  readonly uid: string;
}

/** The ClientCertificates of one namespace under one rule, the oldest first: the first `most` of them have a place. */
export class Line {
  readonly #most: number;
  readonly #places = new SortedList<Place>(isOlder);

  constructor(most: number) {
    this.#most = most;
  }

  get length(): number {
    return this.#places.length;
  }

  /** How many go before this one, which need not be in here. */
  rank(place: Place): number {
    return this.#places.rank(place);
  }

  /** Returns the key of the one that is pushed out by it. */
  enter(place: Place): string | undefined {
    const hasPlace = this.rank(place) < this.#most;
    this.#places.add(place);
    return hasPlace ? this.#places.at(this.#most)?.key : undefined;
  }

  /** Returns the key of the one that gets its place. */
  leave(place: Place): string | undefined {
    const hadPlace = this.rank(place) < this.#most;
    this.#places.remove(place);
    return hadPlace ? this.#places.at(this.#most - 1)?.key : undefined;
  }
}

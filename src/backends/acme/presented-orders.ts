import type { Presented } from './authorizations.ts';

/** Orders that are remembered; each is dropped when its request is over. */
const MOST_ORDERS = 5_000;
/** Challenges of all of them. One may take 4 KB: a server chooses its URL and its token, and may never look at it. */
const MOST_CHALLENGES = 5_000;

/** What was presented for each order, by its URL. What is dropped for lack of room is asked of the server again. */
export class PresentedOrders {
  readonly #orders = new Map<string, Presented>();

  of(url: string): Presented | undefined {
    return this.#orders.get(url);
  }

  /** Drops the oldest orders where there are too many, or too many challenges. */
  add(url: string): Presented {
    let challenges = 0;
    for (const { size } of this.#orders.values()) challenges += size;
    for (const [oldest, { size }] of this.#orders) {
      if (this.#orders.size < MOST_ORDERS && challenges <= MOST_CHALLENGES) break;
      this.#orders.delete(oldest);
      challenges -= size;
    }
    const presented: Presented = new Map();
    this.#orders.set(url, presented);
    return presented;
  }

  drop(url: string): void {
    this.#orders.delete(url);
  }
}

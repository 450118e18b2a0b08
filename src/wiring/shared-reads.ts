interface Under<Found> {
  readonly current: Promise<Found>;
  /** For those that asked since that began. */
  next: Promise<Found> | undefined;
}

/**
 * One read for all that ask for the same while another one is under way. That read begins after they asked: what was read before may be
 * older than what is to be judged by it.
 */
export class SharedReads<Found> {
  readonly #under = new Map<string, Under<Found>>();

  get(id: string, begin: () => Promise<Found>): Promise<Found> {
    const under = this.#under.get(id);
    if (under === undefined) return this.#begin(id, begin);
    const over = under.current.then(nothing, nothing);
    under.next ??= over.then(() => this.#begin(id, begin));
    return under.next;
  }

  #begin(id: string, begin: () => Promise<Found>): Promise<Found> {
    const under: Under<Found> = { current: (async () => begin())(), next: undefined };
    this.#under.set(id, under);
    const end = () => {
      if (under.next === undefined) this.#under.delete(id);
    };
    under.current.then(end, end);
    return under.current;
  }
}

function nothing(): void {}

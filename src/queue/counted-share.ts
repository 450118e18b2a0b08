/** The part of a limit that counts here, in (0, 1]: other replicas have the rest. All of it without `share`. */
export class CountedShare {
  readonly #share: (() => number) | undefined;
  /** At the last call of `sinceThen`. */
  #then: number;

  constructor(share: (() => number) | undefined) {
    this.#share = share;
    this.#then = this.now;
  }

  get now(): number {
    return this.#share?.() ?? 1;
  }

  /** What counted since the last call. What came before a greater share was another replica's, which may have used it. */
  sinceThen(): number {
    const now = this.now;
    const least = Math.min(now, this.#then);
    this.#then = now;
    return least;
  }
}

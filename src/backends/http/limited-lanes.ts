/** What is to be done as soon as there is room; calls `done` when it is over. */
type Work = (done: () => void) => void;

/**
 * Few at once, of each lane only one: slow work of one lane delays that lane alone. What would
 * wait behind too much of its own isn't taken at all.
 */
export class LimitedLanes {
  readonly #atOnce: number;
  readonly #longest: number;
  readonly #running = new Set<string>();
  /** In the order in which lanes are next. */
  readonly #waiting = new Map<string, Work[]>();

  constructor(atOnce: number, longest: number) {
    this.#atOnce = atOnce;
    this.#longest = longest;
  }

  /** False where it was not taken. */
  enter(lane: string, work: Work): boolean {
    const line = this.#waiting.get(lane) ?? [];
    if (line.length >= this.#longest) return false;
    this.#waiting.set(lane, [...line, work]);
    this.#next();
    return true;
  }

  #next(): void {
    for (const [lane, [work, ...others]] of this.#waiting) {
      if (this.#running.size >= this.#atOnce) return;
      if (this.#running.has(lane) || work === undefined) continue;
      // It goes to the end, so that lanes take turns.
      this.#waiting.delete(lane);
      if (others.length > 0) this.#waiting.set(lane, others);
      this.#running.add(lane);
      work(() => {
        this.#running.delete(lane);
        this.#next();
      });
    }
  }
}

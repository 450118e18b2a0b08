/** A binary heap: the smallest item first, in logarithmic time. */
export class Heap<T> {
  readonly #items: T[] = [];
  readonly #compare: (one: T, other: T) => number;

  constructor(compare: (one: T, other: T) => number) {
    this.#compare = compare;
  }

  get size(): number {
    return this.#items.length;
  }

  peek(): T | undefined {
    return this.#items[0];
  }

  push(item: T): void {
    const items = this.#items;
    let index = items.push(item) - 1;
    while (index > 0) {
      const parent = (index - 1) >> 1;
      if (!this.#before(index, parent)) return;
      this.#swap(index, parent);
      index = parent;
    }
  }

  pop(): T | undefined {
    const items = this.#items;
    const first = items[0];
    const last = items.pop();
    if (items.length === 0 || last === undefined) return first;
    items[0] = last;
    let index = 0;
    for (;;) {
      let smallest = index;
      for (const child of [2 * index + 1, 2 * index + 2]) {
        if (child < items.length && this.#before(child, smallest)) smallest = child;
      }
      if (smallest === index) return first;
      this.#swap(index, smallest);
      index = smallest;
    }
  }

  /** Drops what `wanted` says no to, in n log n. */
  keep(wanted: (item: T) => boolean): void {
    for (const item of this.#items.splice(0).filter(wanted)) this.push(item);
  }

  #before(one: number, other: number): boolean {
    return this.#compare(this.#items[one] as T, this.#items[other] as T) < 0;
  }

  #swap(one: number, other: number): void {
    const held = this.#items[one] as T;
    this.#items[one] = this.#items[other] as T;
    this.#items[other] = held;
  }
}

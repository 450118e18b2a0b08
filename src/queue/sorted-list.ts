/** Above this a piece is cut in two: to move as many items costs less than to look for the piece. */
const LONGEST_PIECE = 512;

/** Items in order, in pieces, so that an item is put in or taken out without moving all the others. No two are equal. */
export class SortedList<T> {
  readonly #pieces: T[][] = [[]];
  readonly #isBefore: (one: T, other: T) => boolean;
  #length = 0;

  constructor(isBefore: (one: T, other: T) => boolean) {
    this.#isBefore = isBefore;
  }

  get length(): number {
    return this.#length;
  }

  at(index: number): T | undefined {
    let left = index;
    for (const piece of this.#pieces) {
      if (left < piece.length) return piece[left];
      left -= piece.length;
    }
    return undefined;
  }

  *[Symbol.iterator](): Generator<T> {
    for (const piece of this.#pieces) yield* piece;
  }

  /** How many items come before this one, which need not be in here. */
  rank(item: T): number {
    const { at, index } = this.#find(item);
    let rank = index;
    for (let before = 0; before < at; before++) rank += this.#pieces[before]?.length ?? 0;
    return rank;
  }

  add(item: T): void {
    const { piece, at, index } = this.#find(item);
    piece.splice(index, 0, item);
    this.#length++;
    if (piece.length > LONGEST_PIECE) this.#pieces.splice(at + 1, 0, piece.splice(LONGEST_PIECE / 2));
  }

  /** Takes out an item that is in here. */
  remove(item: T): void {
    const { piece, at, index } = this.#find(item);
    piece.splice(index, 1);
    this.#length--;
    if (piece.length === 0 && this.#pieces.length > 1) this.#pieces.splice(at, 1);
  }

  /** Where it is, or belongs. */
  #find(item: T): { readonly piece: T[]; readonly at: number; readonly index: number } {
    const isBehind = (other: T | undefined) => other !== undefined && this.#isBefore(other, item);
    const at = Math.min(
      firstThatIsnt(this.#pieces, (piece) => isBehind(piece.at(-1))),
      this.#pieces.length - 1,
    );
    const piece = this.#pieces[at] as T[];
    return { piece, at, index: firstThatIsnt(piece, isBehind) };
  }
}

/** Index of the first item for which `holds` is false, where it holds for all before it and for none after. */
function firstThatIsnt<T>(items: readonly T[], holds: (item: T) => boolean): number {
  let low = 0;
  let high = items.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (holds(items[middle] as T)) low = middle + 1;
    else high = middle;
  }
  return low;
}

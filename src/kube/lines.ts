import { ApiError } from '../errors.ts';

const NEWLINE = 0x0a;
/** etcd keeps no object above 1.5 MB; a longer line is no event. */
const LONGEST_LINE_BYTES = 16 * 2 ** 20;

/**
 * Cuts a byte stream into lines at newlines only: what Unicode or readline think of as line ends (U+2028) may stand
 * inside an annotation, and a character may be cut in two by the end of a chunk. The start of a line that a chunk cuts is
 * kept as its pieces, not in a BoundedBody: most such lines are short, and its buffer would be many times their size.
 */
export class LineSplitter {
  #pieces: Buffer[] = [];
  #pending = 0;

  /** Bytes of a line that has no end yet. */
  get pending(): number {
    return this.#pending;
  }

  *push(chunk: Buffer): Generator<string> {
    let start = 0;
    for (let end = chunk.indexOf(NEWLINE); end >= 0; end = chunk.indexOf(NEWLINE, start)) {
      const line = this.#complete(chunk.subarray(start, end));
      start = end + 1;
      if (line !== '') yield line;
    }
    if (start < chunk.length) this.#keep(chunk.subarray(start));
  }

  #complete(tail: Buffer): string {
    if (this.#pieces.length === 0) return tail.toString('utf8');
    const line = Buffer.concat([...this.#pieces, tail]).toString('utf8');
    this.#pieces = [];
    this.#pending = 0;
    return line;
  }

  #keep(piece: Buffer): void {
    this.#pieces.push(piece);
    this.#pending += piece.length;
    if (this.#pending > LONGEST_LINE_BYTES)
      throw new ApiError(0, 'InvalidAnswer', `the watch sent a line longer than ${LONGEST_LINE_BYTES} bytes`);
  }
}

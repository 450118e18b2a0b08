/** More than a TLS record holds: a body that arrives in one piece is not copied. */
const FIRST_BYTES = 128 * 1024;

/**
 * Collects the body of an answer up to a bound, in one buffer that grows. Keeping the pieces instead would keep thousands
 * of small buffers alive until the last one arrives, and leave the memory of the process full of holes.
 */
export class BoundedBody {
  readonly #maxBytes: number;
  #buffer: Buffer = Buffer.alloc(0);
  #length = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  get length(): number {
    return this.#length;
  }

  /** False if the piece exceeds the bound; it is not kept then, and nothing further should be read. */
  push(piece: Buffer): boolean {
    const end = this.#length + piece.length;
    if (end > this.#maxBytes) return false;
    if (this.#length === 0) this.#buffer = piece;
    else {
      if (end > this.#buffer.length) this.#grow(end);
      piece.copy(this.#buffer, this.#length);
    }
    this.#length = end;
    return true;
  }

  /** A view of what has been kept, not a copy. */
  bytes(): Buffer {
    return this.#buffer.subarray(0, this.#length);
  }

  toString(): string {
    return this.#buffer.toString('utf8', 0, this.#length);
  }

  #grow(needed: number): void {
    const larger = Buffer.allocUnsafeSlow(Math.max(FIRST_BYTES, 2 * this.#buffer.length, needed));
    this.#buffer.copy(larger, 0, 0, this.#length);
    this.#buffer = larger;
  }
}

/** The whole stream; undefined as soon as it exceeds `maxBytes`, which destroys the stream and its connection. */
export async function readBounded(stream: AsyncIterable<Buffer>, maxBytes: number): Promise<Buffer | undefined> {
  const body = new BoundedBody(maxBytes);
  for await (const piece of stream) if (!body.push(piece)) return undefined;
  return body.bytes();
}

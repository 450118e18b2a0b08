/** More than a TLS record holds: what comes in one piece is not copied. */
const FIRST_BYTES = 128 * 1024;

/**
 * Collects the body of an answer in one buffer that grows. To keep the pieces would keep thousands of small buffers
 * alive until the last one is there, and they leave the process's memory full of holes.
 */
export class Body {
  #buffer: Buffer = Buffer.alloc(0);
  #length = 0;

  get length(): number {
    return this.#length;
  }

  push(piece: Buffer): void {
    const end = this.#length + piece.length;
    if (this.#length === 0) this.#buffer = piece;
    else {
      if (end > this.#buffer.length) this.#grow(end);
      piece.copy(this.#buffer, this.#length);
    }
    this.#length = end;
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

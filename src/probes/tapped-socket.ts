import type { Socket } from 'node:net';
import { Duplex } from 'node:stream';

/** A handshake with long lists of CA names and a long chain stays below. */
const MOST_BYTES = 262_144;
/** With session tickets and the begin of an answer. A server that pours on would have them decrypted until the time is over. */
const MOST_RECEIVED = 1_048_576;

/**
 * A TCP connection that keeps the first bytes that arrive. TLS over a net.Socket itself never shows them: it reads from the
 * handle below it.
 */
export class TappedSocket extends Duplex {
  readonly #socket: Socket;
  readonly #received: Buffer[] = [];
  #bytes = 0;

  constructor(socket: Socket) {
    super();
    this.#socket = socket;
    socket.on('data', (chunk: Buffer) => {
      if (this.#bytes < MOST_BYTES) this.#received.push(chunk);
      this.#bytes += chunk.length;
      if (this.#bytes > MOST_RECEIVED)
        return void this.destroy(new Error('it sends more than a handshake and an answer'));
      if (!this.push(chunk)) socket.pause();
    });
    socket.on('end', () => this.push(null));
    socket.on('error', (error) => this.destroy(error));
    socket.on('close', () => this.destroy());
  }

  get received(): Buffer {
    return Buffer.concat(this.#received);
  }

  override _read(): void {
    this.#socket.resume();
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    this.#socket.write(chunk, done);
  }

  override _final(done: (error?: Error | null) => void): void {
    this.#socket.end(() => done());
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    this.#socket.destroy();
    done(error);
  }
}

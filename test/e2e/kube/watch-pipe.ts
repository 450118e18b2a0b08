import type { IncomingMessage, ServerResponse } from 'node:http';

/** One open watch on its way through the proxy, line by line. */
export class WatchPipe {
  readonly rewrites: ((line: string) => string[])[] = [];
  readonly #from: IncomingMessage;
  readonly #to: ServerResponse;
  #frozen = false;
  #rest = '';

  constructor(from: IncomingMessage, to: ServerResponse) {
    this.#from = from;
    this.#to = to;
    from.setEncoding('utf8');
    from.on('data', (text: string) => this.#pass(text));
    from.on('end', () => !this.#frozen && to.end());
    from.on('error', () => !this.#frozen && to.destroy());
    to.on('close', () => from.destroy());
  }

  /** Half-open from now on: the connection stays, nothing arrives any more. */
  freeze(): void {
    this.#frozen = true;
  }

  /** Connection reset (TCP RST). */
  cut(): void {
    this.#to.socket?.resetAndDestroy();
  }

  /** The server ends it in good order. */
  end(): void {
    this.#from.destroy();
    this.#to.end();
  }

  /** Sends a line of our own. */
  inject(line: string): void {
    this.#to.write(`${line}\n`);
  }

  /** What the API server sends when the version is too old, once the watch has begun. */
  expire(): void {
    const status = {
      kind: 'Status',
      apiVersion: 'v1',
      status: 'Failure',
      code: 410,
      reason: 'Expired',
      message: 'too old resource version',
    };
    this.inject(JSON.stringify({ type: 'ERROR', object: status }));
  }

  /** Begins an event and resets the connection in the middle of it. */
  breakOff(): void {
    this.#to.write('{"type":"MODIFIED","object":{"metadata":{"name":"half');
    setImmediate(() => this.cut());
  }

  #pass(text: string): void {
    if (this.#frozen) return;
    const lines = (this.#rest + text).split('\n');
    this.#rest = lines.pop() ?? '';
    for (const line of lines) {
      let out = [line];
      for (const rewrite of this.rewrites) out = out.flatMap(rewrite);
      for (const one of out) this.inject(one);
    }
  }
}

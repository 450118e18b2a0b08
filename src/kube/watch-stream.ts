import type { Dispatcher } from 'undici';
import { readBounded } from '../bounded-body.ts';
import type { Clock } from '../clock.ts';
import { ApiError } from '../errors.ts';
import { refusal } from './answer.ts';
import type { Connection } from './auth.ts';
import { connectionError, NoAnswer, USER_AGENT } from './http.ts';
import { LineSplitter } from './lines.ts';
import type { WatchEvent } from './object.ts';

/** The events of an open watch. It ends when the server ends it in order, and throws an ApiError when it breaks. */
export interface WatchStream extends AsyncIterable<WatchEvent> {
  abort(): void;
}

export interface OpenOptions {
  connection: Connection;
  path: string;
  headersTimeoutMs: number;
  idleMs: number;
  signal: AbortSignal | undefined;
  onBytes: (() => void) | undefined;
  clock: Clock;
}

const MAX_REFUSAL_BYTES = 65_536;

/** Sends the request of a watch and waits for the head of its answer. */
export async function openWatch(options: OpenOptions): Promise<WatchStream> {
  const { connection, signal } = options;
  const controller = new AbortController();
  const abort = () => controller.abort(new Error('the watch was given up'));
  // AbortSignal.any would leak under a signal that lives as long as the process.
  signal?.addEventListener('abort', abort, { once: true });
  if (signal?.aborted) abort();
  const closed = () => signal?.removeEventListener('abort', abort);
  try {
    const answer = await connection.watchDispatcher.request({
      origin: connection.server.origin,
      path: options.path,
      method: 'GET',
      headers: { accept: 'application/json', 'user-agent': USER_AGENT, ...connection.headers },
      headersTimeout: options.headersTimeoutMs,
      bodyTimeout: options.idleMs,
      signal: controller.signal,
    });
    if (answer.statusCode === 200) return new Stream(answer.body, controller, closed, options.onBytes);
    const header = answer.headers['retry-after'];
    const retryAfter = Array.isArray(header) ? header[0] : header;
    // A refusal that is too long to be read is reported by its HTTP status alone.
    const body = String((await readBounded(answer.body, MAX_REFUSAL_BYTES)) ?? '');
    throw refusal({ status: answer.statusCode, retryAfter, body }, options.clock);
  } catch (error) {
    closed();
    throw brokenBy(error, controller.signal);
  }
}

function brokenBy(error: unknown, signal: AbortSignal): ApiError {
  if (error instanceof ApiError) return error;
  return signal.aborted ? new NoAnswer('Aborted', 'the watch was given up', error) : connectionError(error, false);
}

class Stream implements WatchStream {
  readonly #body: Dispatcher.ResponseData['body'];
  readonly #controller: AbortController;
  readonly #closed: () => void;
  readonly #onBytes: (() => void) | undefined;

  constructor(
    body: Dispatcher.ResponseData['body'],
    controller: AbortController,
    closed: () => void,
    onBytes: (() => void) | undefined,
  ) {
    this.#body = body;
    this.#controller = controller;
    this.#closed = closed;
    this.#onBytes = onBytes;
    // The body may break between two reads; the next read throws.
    body.on('error', () => {});
  }

  abort(): void {
    this.#controller.abort(new Error('the watch was given up'));
    this.#closed();
  }

  async *[Symbol.asyncIterator](): AsyncIterator<WatchEvent> {
    const lines = new LineSplitter();
    try {
      for await (const chunk of this.#body as AsyncIterable<Buffer>) {
        this.#onBytes?.();
        for (const line of lines.push(chunk)) yield parseEvent(line);
      }
      if (lines.pending > 0) throw new ApiError(0, 'ConnectionFailed', 'the watch ended in the middle of an event');
    } catch (error) {
      throw brokenBy(error, this.#controller.signal);
    } finally {
      this.abort();
    }
  }
}

/** A line that can't be read means that events may be missing, so the stream is over. */
function parseEvent(line: string): WatchEvent {
  let event: unknown;
  try {
    event = JSON.parse(line);
  } catch {
    throw new ApiError(0, 'InvalidAnswer', 'the watch sent a line that is no JSON');
  }
  if (
    typeof event !== 'object' ||
    event === null ||
    !('type' in event) ||
    !('object' in event) ||
    typeof event.object !== 'object' ||
    event.object === null
  ) {
    throw new ApiError(0, 'InvalidAnswer', 'the watch sent a line that is no event');
  }
  return event as WatchEvent;
}

import { randomBytes } from 'node:crypto';
import type { Clock } from '../clock.ts';
import type { Logger } from '../log.ts';
import { messageOf } from '../thrown.ts';
import { VERSION } from '../version.ts';
import type { Audit, AuditEvent } from './event.ts';
import { chained, type Place, type SegmentEvent } from './line.ts';
import type { Sink, Tail } from './sink.ts';

export interface AuditMetrics {
  written(): void;
  /** A write or a sync has failed. */
  failed(): void;
  /** A line was given up. */
  lost(): void;
}

export interface AuditLogOptions {
  readonly sink: Sink;
  readonly clock: Clock;
  readonly log: Pick<Logger, 'error' | 'info'>;
  readonly metrics: AuditMetrics;
  /** Called after lines were written. Must only note it. */
  readonly onWritten?: () => void;
}

interface Waiting extends Place {
  readonly bytes: Buffer;
}

/** The disk is asked once for all lines of this time. */
const SYNC_MS = 1_000;
/** Lines wait in memory up to here while they can't be written: about 2,000. */
const MOST_WAITING_BYTES = 2 ** 20;

/**
 * Lines of JSON, each with the hash of the one before. A line is with the operating system when `write` returns, so the
 * death of the process loses none; the death of the machine loses those of the last second at most. While lines can't be
 * written they wait in memory, and issuance goes on; what no longer fits is lost, and the next line says how many.
 */
export class AuditLog implements Audit {
  readonly #options: AuditLogOptions;
  readonly #stopping = new AbortController();
  readonly #segment = randomBytes(8).toString('hex');
  #waiting: Waiting[] = [];
  #waitingBytes = 0;
  /** Of the last line that was made. */
  #last: Pick<Place, 'seq' | 'hash'> | undefined;
  #written: Place | undefined;
  #lost = 0;
  #isFailing = false;
  #isTimed = false;
  #isEnding = false;
  #isClosed = false;

  constructor(options: AuditLogOptions) {
    this.#options = options;
  }

  /** The last line that was written. */
  get written(): Place | undefined {
    return this.#written;
  }

  /** Begins the segment of this process, if that has not begun. */
  start(): void {
    if (this.#last === undefined) this.#begin();
    this.#flush();
  }

  write(event: AuditEvent): void {
    // Its line would follow the stop line, and the number of the file may be that of another one by now.
    if (this.#isEnding) {
      this.#options.metrics.lost();
      return;
    }
    if (this.#last === undefined) this.#begin();
    if (this.#waitingBytes > MOST_WAITING_BYTES) {
      this.#lost += 1;
      this.#options.metrics.lost();
    } else this.#add(event);
    this.#flush();
  }

  /** Resolves when the disk has what was written. Never rejects. */
  async sync(): Promise<void> {
    if (this.#isClosed) return;
    try {
      await this.#options.sink.sync();
    } catch (error) {
      this.#failed(error);
    }
  }

  /** Ends the segment. Never throws. */
  async close(): Promise<void> {
    this.#isEnding = true;
    this.#stopping.abort();
    if (this.#last !== undefined) {
      this.#add({ event: 'stop' });
      this.#flush();
    }
    await this.sync();
    this.#isClosed = true;
    this.#options.sink.close();
  }

  #begin(): void {
    const { hash: prev = '', torn } = this.#tail();
    this.#add({ event: 'start', version: VERSION, torn }, prev, torn === undefined ? '' : '\n');
  }

  #tail(): Tail {
    try {
      return this.#options.sink.tail();
    } catch (error) {
      this.#failed(error);
      return { hash: undefined, torn: undefined };
    }
  }

  #add(event: AuditEvent | SegmentEvent, prev = this.#last?.hash ?? '', before = ''): void {
    const seq = this.#last === undefined ? 0 : this.#last.seq + 1;
    const lost = this.#lost === 0 ? undefined : this.#lost;
    const segment = this.#segment;
    const { line, hash } = chained(event, { time: this.#options.clock.now(), segment, seq, prev, lost });
    const bytes = Buffer.from(`${before}${line}\n`);
    this.#lost = 0;
    this.#last = { seq, hash };
    this.#waiting.push({ bytes, segment, seq, hash });
    this.#waitingBytes += bytes.length;
  }

  #flush(): void {
    const { sink, log, metrics, onWritten } = this.#options;
    let done = 0;
    try {
      for (const { bytes } of this.#waiting) {
        sink.write(bytes);
        metrics.written();
        this.#waitingBytes -= bytes.length;
        done += 1;
      }
      if (this.#isFailing) log.info('the audit log is written again', { lines: done });
      this.#isFailing = false;
    } catch (error) {
      this.#failed(error);
    }
    const last = this.#waiting[done - 1];
    if (last !== undefined) {
      this.#written = { segment: last.segment, seq: last.seq, hash: last.hash };
      this.#waiting = this.#waiting.slice(done);
      onWritten?.();
    }
    if (last !== undefined || this.#waiting.length > 0) void this.#later();
  }

  /** Syncs what was written, and tries again what could not be written. */
  async #later(): Promise<void> {
    if (this.#isTimed || this.#stopping.signal.aborted) return;
    this.#isTimed = true;
    try {
      await this.#options.clock.sleep(SYNC_MS, this.#stopping.signal);
    } catch {
      return;
    } finally {
      this.#isTimed = false;
    }
    await this.sync();
    if (this.#waiting.length > 0 && !this.#isClosed) this.#flush();
  }

  #failed(error: unknown): void {
    const { log, metrics } = this.#options;
    metrics.failed();
    if (!this.#isFailing)
      log.error('the audit log could not be written; lines wait in memory, and issuance goes on', {
        error: messageOf(error),
      });
    this.#isFailing = true;
  }
}

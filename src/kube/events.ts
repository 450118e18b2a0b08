import { EVENTS } from '../api/names.ts';
import type { Clock } from '../clock.ts';
import type { Logger } from '../log.ts';
import { escapeInvisible } from '../pki/name.ts';
import { messageOf } from '../thrown.ts';
import type { KubeClient } from './client.ts';
import { microTime } from './micro-time.ts';

/** What an event is about. */
export interface Regarding {
  apiVersion: string;
  kind: string;
  namespace?: string | undefined;
  name: string;
  uid: string;
}

export interface NewEvent {
  regarding: Regarding;
  type: 'Normal' | 'Warning';
  /** Why, in CamelCase: machines read it. */
  reason: string;
  /** What was done or tried, in CamelCase. */
  action: string;
  /** For people; cut at 1,024 bytes. */
  note: string;
}

export interface RecorderOptions {
  client: Pick<KubeClient, 'apply'>;
  clock: Clock;
  logger: Logger;
  /** Which replica, usually the Pod's name. */
  instance: string;
}

/** An event as it stands in the cluster, and how often it has happened since. */
interface Recorded {
  event: NewEvent;
  name: string;
  eventTime: string;
  count: number;
  lastSeen: number;
  lastSeenTime: string;
  writtenAt: number;
}

const CONTROLLER = 'certwheel.io/controller';
const LONGEST_NOTE = 1_024;
const LONGEST_NAME = 253;
const LONGEST_INSTANCE = 128;
/** After this long without a repetition, the same thing is news again. */
const SERIES_ENDS_AFTER_MS = 10 * 60_000;
const SERIES_WRITTEN_EVERY_MS = 5 * 60_000;
const MOST_REMEMBERED = 1_000;
const MOST_WAITING = 500;
const WRITE_TIMEOUT_MS = 5_000;

/**
 * Records events in the cluster, at best effort: a caller doesn't wait and never gets an error. What
 * happens again soon becomes a series, written rarely; what can't be written in time is dropped.
 */
export class EventRecorder {
  readonly #options: RecorderOptions;
  readonly #remembered = new Map<string, Recorded>();
  /** What is still to be written, in order. */
  readonly #waiting = new Set<Recorded>();
  #writing: Promise<void> | undefined;
  #sequence = 0;
  /** Aborts what is still being written when a stop has no more patience. */
  readonly #closing = new AbortController();

  constructor(options: RecorderOptions) {
    this.#options = options;
  }

  record(event: NewEvent): void {
    const { clock } = this.#options;
    const now = clock.monotonicMs();
    const id = `${event.regarding.uid}|${event.reason}|${event.note}`;
    const known = this.#remembered.get(id);
    // Deleted and set again, so that the map stays in the order of the last use.
    this.#remembered.delete(id);
    if (known && now - known.lastSeen < SERIES_ENDS_AFTER_MS) {
      this.#remembered.set(id, known);
      known.count++;
      known.lastSeen = now;
      known.lastSeenTime = microTime(clock.now());
      if (now - known.writtenAt >= SERIES_WRITTEN_EVERY_MS) this.#write(known);
      return;
    }
    const recorded = this.#begin(event, now);
    this.#remembered.set(id, recorded);
    this.#forgetOldest();
    this.#write(recorded);
  }

  /** Resolves when nothing waits to be written any more. */
  async flush(): Promise<void> {
    await this.#writing;
  }

  /** Writes what waits for at most `graceMs`, and drops the rest. Never throws. */
  async close(graceMs: number): Promise<void> {
    const timer = setTimeout(() => this.#drop(), graceMs);
    await this.#writing;
    clearTimeout(timer);
    this.#closing.abort();
  }

  #drop(): void {
    // And the one that is being written.
    const events = this.#waiting.size + 1;
    this.#waiting.clear();
    this.#closing.abort();
    this.#options.logger.warn('events were dropped, since they could not be written before the stop', { events });
  }

  #begin(event: NewEvent, now: number): Recorded {
    const wall = this.#options.clock.now();
    const eventTime = microTime(wall);
    // As client-go does: the time makes it unique across restarts, the sequence within one millisecond.
    const unique = (BigInt(wall.getTime()) * 1_000_000n + BigInt(this.#sequence++ % 1_000_000)).toString(16);
    const name = `${event.regarding.name.slice(0, LONGEST_NAME - unique.length - 1).replace(/[.-]+$/, '')}.${unique}`;
    return { event, name, eventTime, count: 1, lastSeen: now, lastSeenTime: eventTime, writtenAt: now };
  }

  #forgetOldest(): void {
    for (const id of this.#remembered.keys()) {
      if (this.#remembered.size <= MOST_REMEMBERED) return;
      this.#remembered.delete(id);
    }
  }

  #write(recorded: Recorded): void {
    recorded.writtenAt = recorded.lastSeen;
    if (this.#waiting.size >= MOST_WAITING || this.#closing.signal.aborted) return;
    this.#waiting.add(recorded);
    this.#writing ??= this.#drain();
  }

  /** One at a time: events are the least of what the API server has to do for us. */
  async #drain(): Promise<void> {
    const { client, logger } = this.#options;
    for (const recorded of this.#waiting) {
      this.#waiting.delete(recorded);
      try {
        const { signal } = this.#closing;
        await client.apply(EVENTS, this.#object(recorded), { timeoutMs: WRITE_TIMEOUT_MS, signal });
      } catch (error) {
        const message = messageOf(error);
        logger.debug('an event was dropped', { reason: recorded.event.reason, error: message });
      }
    }
    this.#writing = undefined;
  }

  #object({ event, name, eventTime, count, lastSeenTime }: Recorded) {
    const { regarding, type, reason, action, note } = event;
    return {
      metadata: { namespace: regarding.namespace || 'default', name },
      eventTime,
      reportingController: CONTROLLER,
      reportingInstance: cut(this.#options.instance, LONGEST_INSTANCE),
      type,
      reason,
      action,
      note: cut(escapeInvisible(note), LONGEST_NOTE),
      regarding,
      ...(count > 1 ? { series: { count, lastObservedTime: lastSeenTime } } : {}),
    };
  }
}

/** The API counts bytes, and half a character is none. */
function cut(text: string, bytes: number): string {
  if (Buffer.byteLength(text) <= bytes) return text;
  return `${Buffer.from(text)
    .subarray(0, bytes - 3)
    .toString('utf8')
    .replace(/\uFFFD$/, '')}…`;
}

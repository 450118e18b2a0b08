import { createReadStream, statSync } from 'node:fs';
import type { AuditEvent, ControlPlane } from '../cluster/control-plane.ts';

const READING = ['get', 'list'];
const MUTATING = ['create', 'update', 'patch', 'delete', 'deletecollection'];
/** A leader renews it every five seconds, whatever else happens: no write of the work that is measured. */
const LEASES = 'leases';
const NEWLINE = 0x0a;

/** How often each request was made, such as `patch secrets` or `patch clientcertificates/status`. */
export type Requests = Readonly<Record<string, number>>;

/**
 * Counts requests by user, as the API server's audit log shows them, from now on. Reads what is new alone: the log of a
 * large fleet has gigabytes.
 */
export class AuditTail {
  readonly #path: string;
  readonly #counts = new Map<string, Record<string, number>>();
  readonly #lastWrite = new Map<string, number>();
  #offset: number;

  constructor({ auditLogPath }: Pick<ControlPlane, 'auditLogPath'>) {
    this.#path = auditLogPath;
    this.#offset = statSync(auditLogPath).size;
  }

  /** The requests of a user so far. */
  async requests(user: string): Promise<Requests> {
    await this.#read();
    return { ...this.#counts.get(user) };
  }

  /** When the last write of a user was answered, but for Leases, by the clock of the API server; undefined if there was none. */
  lastWriteMs(user: string): number | undefined {
    return this.#lastWrite.get(user);
  }

  async #read(): Promise<void> {
    let rest = Buffer.alloc(0);
    for await (const chunk of createReadStream(this.#path, { start: this.#offset })) {
      const bytes = Buffer.concat([rest, chunk as Buffer]);
      let from = 0;
      for (let to = bytes.indexOf(NEWLINE); to >= 0; to = bytes.indexOf(NEWLINE, from)) {
        this.#count(JSON.parse(bytes.toString('utf8', from, to)));
        from = to + 1;
      }
      this.#offset += from;
      // A line that is being written is read again the next time.
      rest = bytes.subarray(from);
    }
  }

  #count({ user, verb, stage, objectRef, stageTimestamp }: AuditEvent): void {
    // A watch is counted when it opens.
    if (stage !== (verb === 'watch' ? 'ResponseStarted' : 'ResponseComplete')) return;
    const { resource = 'other', subresource } = objectRef ?? {};
    const what = `${verb} ${resource}${subresource === undefined ? '' : `/${subresource}`}`;
    const counts = this.#counts.get(user.username) ?? {};
    counts[what] = (counts[what] ?? 0) + 1;
    this.#counts.set(user.username, counts);
    if (isWrite(what)) this.#lastWrite.set(user.username, Date.parse(stageTimestamp));
  }
}

/** What was requested between two readings. */
export function between(before: Requests, after: Requests): Requests {
  const all = Object.entries(after).map(([what, count]) => [what, count - (before[what] ?? 0)] as const);
  return Object.fromEntries(all.filter(([, count]) => count > 0));
}

/** Those of Leases don't count. */
export function writesIn(requests: Requests): number {
  return sum(requests, isWrite);
}

export function readsIn(requests: Requests): number {
  return sum(requests, (what) => READING.includes(verbOf(what)));
}

export function watchesIn(requests: Requests): number {
  return sum(requests, (what) => verbOf(what) === 'watch');
}

function isWrite(what: string): boolean {
  return MUTATING.includes(verbOf(what)) && !what.endsWith(` ${LEASES}`);
}

function verbOf(what: string): string {
  return what.slice(0, what.indexOf(' '));
}

/** Such as `patch secrets 1.00, create events 2.00`, the most frequent first. */
export function describeRequests(requests: Requests, each = 1): string {
  return Object.entries(requests)
    .sort(([, one], [, other]) => other - one)
    .map(([what, count]) => `${what} ${(count / each).toFixed(each === 1 ? 0 : 2)}`)
    .join(', ');
}

function sum(requests: Requests, counts: (what: string) => boolean): number {
  return Object.entries(requests).reduce((so, [what, count]) => (counts(what) ? so + count : so), 0);
}

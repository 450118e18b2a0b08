import { backoffMs } from '../queue/backoff.ts';
import { Bucket } from '../queue/bucket.ts';
import type { Trouble } from '../trouble.ts';

/** What another party changed or deleted: so many are repaired at once, then one a minute. */
const REPAIRS = { capacity: 4, refillMs: 60_000 };
const RETRY = { firstMs: 500, longestMs: 30_000 };
/** Objects that can't be written are tried in turn, at most one in this time. */
const APART_MS = 500;

/** What is remembered of one object; nothing of it must survive a restart. */
export interface ObjectMemory {
  /** What it held when it was last seen as it should be, or written; see contentId. */
  held: string | undefined;
  failures: number;
  /** Not to be tried before. */
  nextAt: Date | undefined;
  /** Why it could not be written last. */
  trouble: Trouble | undefined;
  readonly repairs: Bucket;
}

/** The same of all objects of one authority. */
export class TargetsMemory {
  readonly #objects = new Map<string, ObjectMemory>();
  /** When the next object is delivered; see nextDelivery. */
  deliveryAt: Date | undefined;
  /** The certificates (SHA-256) of the last bundle that could be written; undefined after a start. */
  inForce: ReadonlySet<string> | undefined;
  /** Runs in a row that the API server let down. */
  outages = 0;
  #turn = 0;

  /** At most so many of the objects: those that follow the ones of the call before. */
  inTurn<Object>(objects: readonly Object[], most: number): readonly Object[] {
    const from = this.#turn < objects.length ? this.#turn : 0;
    this.#turn = from + most;
    return objects.slice(from, this.#turn);
  }

  of(id: string): ObjectMemory {
    const known = this.#objects.get(id);
    if (known !== undefined) return known;
    const made = {
      held: undefined,
      failures: 0,
      nextAt: undefined,
      trouble: undefined,
      repairs: new Bucket(REPAIRS),
    };
    this.#objects.set(id, made);
    return made;
  }

  /** It holds what it should. */
  holds(id: string, content: string): void {
    const object = this.of(id);
    object.held = content;
    object.failures = 0;
    object.nextAt = undefined;
    object.trouble = undefined;
  }

  /** It could not be written; answers when it is tried again. */
  failed(id: string, trouble: Trouble, now: Date, random: number): void {
    const object = this.of(id);
    object.trouble = trouble;
    object.failures += 1;
    let waiting = 0;
    for (const each of this.#objects.values()) if (each.trouble !== undefined) waiting += 1;
    const longestMs = Math.max(RETRY.longestMs, waiting * APART_MS);
    object.nextAt = new Date(now.getTime() + backoffMs(object.failures, { ...RETRY, longestMs }, random));
  }

  /** Drops what is remembered of objects that aren't wanted any more. */
  keepOnly(ids: ReadonlySet<string>): void {
    for (const id of this.#objects.keys()) if (!ids.has(id)) this.#objects.delete(id);
  }
}

import type { Reissue } from '../api/ca-rotation.ts';
import { earliest } from '../api/moments.ts';
import type { AuthorityView } from '../certificate/authority-view.ts';
import type { Clock } from '../clock.ts';
import { Bucket } from '../queue/bucket.ts';
import type { Consumer } from '../rotation/deps.ts';
import { formersOf, nextReleases, type Stop, stopOf } from '../rotation/reissue.ts';
import { pauseMs } from './pace.ts';

/** Tokens are looked for so often at most, see pauseMs, and so many at once as come in that time. */
const LOOK_MS = 1_000;

/** What a look at the re-issue has found. */
export interface Released {
  /** Keys of ClientCertificates whose turn has come, and of those that failed: these retry by their own backoff. */
  readonly released: ReadonlySet<string>;
  /** Those of them whose turn has come by this look. */
  readonly fresh: readonly string[];
  readonly stop: Stop | undefined;
  /** When the next turn may come without any event. */
  readonly recheckAt: Date | undefined;
}

const NONE: ReadonlySet<string> = new Set();

/** Which certificates of former CA generations are to be re-issued by now. A restart begins anew with the earliest expiry. */
export class Releases {
  readonly #terms: Reissue;
  readonly #bucket: Bucket;
  #released = NONE;

  /** `share` is the part of all certificates that this replica re-issues. */
  constructor(terms: Reissue, share?: () => number) {
    const { requests, perMs } = terms;
    this.#terms = terms;
    this.#bucket = new Bucket({ capacity: this.#comeIn(LOOK_MS), refillMs: perMs / requests, share });
  }

  get released(): ReadonlySet<string> {
    return this.#released;
  }

  /** Those that `isOurs` denies count among those that fail, and are released by another replica. */
  look(
    view: Omit<AuthorityView, 'released'>,
    consumers: readonly Consumer[],
    clock: Pick<Clock, 'now' | 'monotonicMs'>,
    isOurs: (key: string) => boolean = () => true,
  ): Released {
    const { maxFailures } = this.#terms;
    const now = clock.now();
    const betweenMs = pauseMs(consumers.length, LOOK_MS);
    this.#bucket.resize(this.#comeIn(betweenMs));
    const formers = formersOf(consumers, view, now);
    const kept = formers.filter(({ key, failure }) => failure !== undefined || this.#released.has(key));
    const held = new Set(kept.map(({ key }) => key));
    const nowMs = clock.monotonicMs();
    // While nothing is issued, what is released would come all at once afterwards.
    const tokens = view.trouble === undefined ? this.#bucket.available(nowMs) : 0;
    const stop = stopOf(formers, maxFailures);
    const ours = formers.filter(({ key }) => isOurs(key));
    const fresh = stop === undefined ? nextReleases(ours, held, { maxFailures, tokens }) : [];
    for (const key of fresh) {
      this.#bucket.take(nowMs);
      held.add(key);
    }
    this.#released = held.size === 0 ? NONE : held;
    const isWaiting = ours.some(({ key }) => !held.has(key)) && stop === undefined && view.trouble === undefined;
    const nextMs = isWaiting ? [now.getTime() + Math.max(betweenMs, this.#bucket.untilNext(nowMs))] : [];
    // What fails counts no more once it has expired.
    const endsMs = stop === undefined ? [] : stop.failing.map(({ notAfter }) => notAfter.getTime());
    const recheckAt = earliest([...nextMs, ...endsMs].map((ms) => new Date(ms)));
    return { released: this.#released, fresh, stop, recheckAt };
  }

  #comeIn(ms: number): number {
    const { requests, perMs } = this.#terms;
    return Math.max(1, Math.floor((requests * ms) / perMs));
  }
}

import { rangeLeaseName } from '../api/shard-names.ts';
import type { Clock } from '../clock.ts';
import type { LeaseView } from './lease-view.ts';

/** A watch is behind by less than this, or is known to be broken. */
const FRESH_MS = 60_000;

interface HoldingsDeps {
  readonly clock: Pick<Clock, 'monotonicMs'>;
  readonly known: { get(name: string): LeaseView | undefined };
  /** Ranges were taken, or have gone: also those that another replica took away. */
  readonly onChange: (gained: readonly number[], lost: readonly number[]) => void;
}

/** The ranges that this replica holds, and how it parts with them. */
export class Holdings {
  readonly #deps: HoldingsDeps;
  readonly #held = new Set<number>();
  readonly #gainedAtMs = new Map<number, number>();
  /** Those that were seen with another holder: a Lease that is made anew doesn't say so. */
  readonly #hadOthers = new Set<number>();
  /** Those in which no run begins any more. */
  readonly leaving = new Set<number>();
  /** Those of them whose last run has ended: another replica may have them before we learn of it. */
  readonly #given = new Set<number>();

  constructor(deps: HoldingsDeps) {
    this.#deps = deps;
  }

  get size(): number {
    return this.#held.size;
  }

  /** The Lease is asked too: it may have changed a moment ago. */
  has(range: number, identity: string | undefined): boolean {
    return (
      this.#held.has(range) &&
      !this.#given.has(range) &&
      this.#deps.known.get(rangeLeaseName(range))?.holder === identity
    );
  }

  /** Whether the range came so lately that a watch may not have brought yet what its former holder wrote. */
  isFresh(range: number): boolean {
    const transitions = this.#deps.known.get(rangeLeaseName(range))?.transitions ?? 0;
    const hadOthers = transitions > 0 || this.#hadOthers.has(range);
    const gainedAtMs = this.#gainedAtMs.get(range) ?? Number.NEGATIVE_INFINITY;
    return hadOthers && this.#deps.clock.monotonicMs() - gainedAtMs < FRESH_MS;
  }

  /** Another replica holds the range. */
  noteOther(range: number): void {
    this.#hadOthers.add(range);
  }

  /** Whether the last run has ended in a range that is to be given back; from then on none is admitted. */
  isGiven(range: number, isBusy: (range: number) => boolean): boolean {
    if (!this.#given.has(range) && isBusy(range)) return false;
    this.#given.add(range);
    return true;
  }

  /** The range is another replica's, or free. */
  gone(range: number): void {
    this.leaving.delete(range);
    this.#given.delete(range);
  }

  /** The range can't be given back: it is this replica's as before, and what came due in it meanwhile is reconciled. */
  keep(range: number): void {
    this.gone(range);
    if (this.#held.has(range)) this.#deps.onChange([range], []);
  }

  /** These are all that it holds now. */
  sync(now: readonly number[]): void {
    const present = new Set(now);
    const gained = now.filter((range) => !this.#held.has(range));
    const lost = [...this.#held].filter((range) => !present.has(range));
    for (const range of gained) {
      this.#held.add(range);
      this.#gainedAtMs.set(range, this.#deps.clock.monotonicMs());
    }
    for (const range of lost) this.#held.delete(range);
    if (gained.length + lost.length > 0) this.#deps.onChange(gained, lost);
  }

  /** The place of this replica is another's. */
  clear(): void {
    this.leaving.clear();
    this.#given.clear();
    this.sync([]);
  }
}

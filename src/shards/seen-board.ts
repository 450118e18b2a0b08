import type { Clock } from '../clock.ts';
import { type Board, boardOf } from './lease-view.ts';
import type { KnownLeases } from './leases.ts';
import { holderOf, membersOf } from './moves.ts';
import type { ShardTiming } from './timing.ts';
import { Vanished } from './vanished.ts';

interface SeenBoardDeps {
  readonly clock: Pick<Clock, 'monotonicMs'>;
  /** How many ranges there are. */
  readonly count: number;
  readonly known: Pick<KnownLeases, 'get'>;
  readonly timing: Pick<ShardTiming, 'durationMs'>;
}

/** The Leases as one replica sees them, and since when it has seen them so. */
export class SeenBoard {
  readonly #deps: SeenBoardDeps;
  readonly #vanished: Vanished;
  /** When each free range was first seen so, on the monotonic clock. */
  readonly freeSince = new Map<number, number>();

  /** `own` is the identity of this replica. */
  constructor(deps: SeenBoardDeps, own: () => string | undefined) {
    this.#deps = deps;
    this.#vanished = new Vanished(deps.timing, own);
  }

  get now(): Board {
    const { clock, count, known } = this.#deps;
    return boardOf(count, (name) => this.#vanished.find(name, known.get(name), clock.monotonicMs()));
  }

  /** Takes note of the free ranges of a board. */
  noteFree(board: Board): void {
    const nowMs = this.#deps.clock.monotonicMs();
    const members = new Set(membersOf(board));
    board.ranges.forEach((range, index) => {
      if (holderOf(range, members) !== undefined) this.freeSince.delete(index);
      else if (!this.freeSince.has(index)) this.freeSince.set(index, nowMs);
    });
  }
}

import type { Board, LeaseView } from './lease-view.ts';
import type { ShardTiming } from './timing.ts';

/** What one replica knows of itself. */
export interface Self {
  readonly identity: string;
  /** Ranges in which it begins no run any more. */
  readonly leaving: ReadonlySet<number>;
  /** No range is given back before, on the monotonic clock. */
  readonly pausedUntilMs: number;
  /** Whether a run of the range is under way, which may take long. */
  isBusy(range: number): boolean;
}

/** What one replica is to do next. */
export interface Moves {
  /** Slots of replicas that are dead. Only when a slot is cleared are the ranges of its holder free. */
  readonly clear: readonly LeaseView[];
  /** Free ranges that it may take. */
  readonly claim: readonly number[];
  /** A range that it has beyond its share, and that another one lacks. */
  readonly giveBack: number | undefined;
}

type Timing = Pick<ShardTiming, 'durationMs' | 'orphanMs'>;

/** The identities of all replicas that have a slot. */
export function membersOf({ slots }: Board): string[] {
  return slots.flatMap((slot) => (slot === undefined || slot.holder === '' ? [] : [slot.holder]));
}

/** A range is held while its holder has a slot, whatever the clocks say; a slot that was cleared never has that identity again. */
export function holderOf(range: LeaseView | undefined, members: ReadonlySet<string>): string | undefined {
  return range !== undefined && members.has(range.holder) ? range.holder : undefined;
}

/** The ranges that the board says a replica holds. */
export function heldBy({ ranges }: Board, identity: string): number[] {
  return ranges.flatMap((range, index) => (range?.holder === identity ? [index] : []));
}

/** The slots of replicas whose heartbeat has stopped. */
export function deadSlots({ slots }: Board, nowMs: number, { durationMs }: Pick<Timing, 'durationMs'>): LeaseView[] {
  return slots.filter(
    (slot): slot is LeaseView => slot !== undefined && slot.holder !== '' && nowMs - slot.seenAtMs >= durationMs,
  );
}

/**
 * Decides without a clock and without chance. `freeSince` says when each free range was first seen so, on the monotonic clock.
 * The replica must have a slot of its own on the board.
 */
export function movesOf(
  board: Board,
  self: Self,
  freeSince: ReadonlyMap<number, number>,
  nowMs: number,
  timing: Timing,
): Moves {
  const clear = deadSlots(board, nowMs, timing).filter(({ holder }) => holder !== self.identity);
  const members = new Set(membersOf(board));
  const holders = board.ranges.map((range) => holderOf(range, members));
  const free = holders.flatMap((holder, range) => (holder === undefined ? [range] : []));
  const sizes = new Map([...members].map((member) => [member, holders.filter((each) => each === member).length]));
  const orphans = free.filter((range) => nowMs - (freeSince.get(range) ?? nowMs) >= timing.orphanMs);
  const claim = [...new Set([...dealtTo(self.identity, free, sizes), ...orphans])];
  const isSurplus = free.length === 0 && self.leaving.size === 0 && nowMs >= self.pausedUntilMs;
  const giveBack = isSurplus && isToGive(self.identity, sizes, board.ranges.length);
  return { clear, claim, giveBack: giveBack ? leastBusy(heldBy(board, self.identity), self) : undefined };
}

/** What waits in a range that is given back waits for the end of its runs. */
function leastBusy(held: readonly number[], { isBusy }: Self): number | undefined {
  return held.findLast((range) => !isBusy(range)) ?? held.at(-1);
}

/** Each free range goes to the one that has the fewest by then: whoever sees the same board deals alike, and no two try for one. */
function dealtTo(identity: string, free: readonly number[], sizes: ReadonlyMap<string, number>): number[] {
  const dealt = new Map(sizes);
  return free.filter(() => {
    const [poorest] = [...dealt].sort(bySize)[0] ?? [identity];
    dealt.set(poorest, (dealt.get(poorest) ?? 0) + 1);
    return poorest === identity;
  });
}

/** The one that has the most gives, where another one lacks what would be its share. */
function isToGive(identity: string, sizes: ReadonlyMap<string, number>, count: number): boolean {
  const share = Math.floor(count / Math.max(1, sizes.size));
  const inOrder = [...sizes].sort(bySize);
  const [poorest = 0, richest] = [inOrder[0]?.[1], inOrder.at(-1)];
  return richest !== undefined && richest[0] === identity && poorest < share && richest[1] > share;
}

function bySize([one, few]: readonly [string, number], [other, many]: readonly [string, number]): number {
  return few - many || (one < other ? -1 : 1);
}

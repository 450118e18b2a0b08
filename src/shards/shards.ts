import { rangeLeaseName } from '../api/shard-names.ts';
import type { Clock } from '../clock.ts';
import { leaseFailure } from '../kube/lease-failure.ts';
import type { Logger } from '../log.ts';
import { type Failure, Failures, isRefusal, tryTo } from './failures.ts';
import { Holdings } from './holdings.ts';
import type { Board, LeaseView } from './lease-view.ts';
import { isLostRace, type KnownLeases, Leases } from './leases.ts';
import { Membership } from './membership.ts';
import { deadSlots, heldBy, movesOf } from './moves.ts';
import { Pause } from './pause.ts';
import { SeenBoard } from './seen-board.ts';
import type { ShardTiming } from './timing.ts';

/** The Lease that all replicas with the same number of ranges hold together. */
export interface CommonLease {
  held(): boolean;
  /** Renews it now; false where another kind of replica has it. */
  confirm(signal: AbortSignal): Promise<boolean>;
}

export interface ShardsDeps {
  readonly client: ConstructorParameters<typeof Leases>[0]['client'];
  readonly clock: Clock;
  readonly log: Logger;
  /** Of the Leases. */
  readonly namespace: string;
  /** How many ranges there are. */
  readonly count: number;
  /** Makes an identity that was never used. */
  readonly newIdentity: () => string;
  readonly known: KnownLeases;
  readonly common: CommonLease;
  readonly timing: ShardTiming;
  /** Whether a run of the range is under way; undefined asks about any range. */
  readonly isBusy: (range: number | undefined) => boolean;
  /** Whether the watches say what the API server holds; false after an outage of which one has not recovered. */
  readonly isCurrent: () => boolean;
  /** Ranges were taken, or have gone: also those that another replica took away. */
  readonly onChange: (gained: readonly number[], lost: readonly number[]) => void;
}

/** Decisions that wait for a moment, and runs that have to end, are looked at so often. */
const TICK_MS = 500;
const DRAIN_TICK_MS = 50;
/** A watch that is refused never recovers. After this long the replica joins without it: longer than a backoff and a long list. */
const LONGEST_BEHIND_MS = 90_000;
/** Requests at the same time, when a replica takes many ranges. */
const AT_ONCE = 16;

/** What this replica holds of the work that several share. */
export class Shards {
  readonly #deps: ShardsDeps;
  readonly #leases: Leases;
  readonly #holdings: Holdings;
  readonly #failures: Failures;
  readonly #pause: Pause;
  readonly #seen: SeenBoard;
  #membership: Membership | undefined;
  #pausedUntilMs = Number.NEGATIVE_INFINITY;
  #isFull = false;
  #isClosing = false;

  constructor(deps: ShardsDeps) {
    this.#deps = deps;
    this.#leases = new Leases(deps);
    this.#holdings = new Holdings(deps);
    this.#failures = new Failures(deps);
    this.#pause = new Pause(deps.clock);
    this.#seen = new SeenBoard(deps, () => this.#membership?.identity);
  }

  /** Whether this replica may act at all at this very moment. */
  get isActive(): boolean {
    return this.#membership?.isAlive === true && this.#deps.common.held();
  }

  /** How many ranges it holds. */
  get size(): number {
    return this.#holdings.size;
  }

  /** Whether the range is this replica's, though it may have to pause: see isActive. */
  holds(range: number): boolean {
    return this.#holdings.has(range, this.#membership?.identity);
  }

  /** Whether runs of the range may begin. */
  admits(range: number): boolean {
    return this.holds(range) && !this.#holdings.leaving.has(range);
  }

  /** See Holdings. */
  isFresh(range: number): boolean {
    return this.#holdings.isFresh(range);
  }

  /** A Lease has changed. */
  noteChange(): void {
    this.#pause.end();
  }

  /** Takes no further range, and keeps what it has: a graceful stop has begun. */
  close(): void {
    this.#isClosing = true;
  }

  /** Takes part until the signal aborts; never throws. */
  async run(signal: AbortSignal): Promise<void> {
    const { clock, common, isBusy, isCurrent } = this.#deps;
    // Since when watches have had time to recover. At the start they have just been filled.
    let sinceMs = Number.NEGATIVE_INFINITY;
    while (!signal.aborted) {
      if (sinceMs > Number.NEGATIVE_INFINITY && !common.held()) sinceMs = clock.monotonicMs();
      // By what was old it would undo what others have done while it was away.
      const isFit = isCurrent() || clock.monotonicMs() - sinceMs >= LONGEST_BEHIND_MS;
      // What was begun before must not go on under a new identity: another replica may have acted on the same keys meanwhile.
      const mayJoin = common.held() && isFit && !isBusy(undefined) && !this.#failures.hasToWait;
      const membership = mayJoin ? await this.#join(signal) : undefined;
      if (membership === undefined) {
        await this.#pause.during(TICK_MS, signal);
        continue;
      }
      await this.#takePart(membership, signal);
      sinceMs = clock.monotonicMs();
    }
  }

  /** Gives up all ranges, after the last run of a graceful stop. Never throws. */
  async leave(): Promise<void> {
    const membership = this.#membership;
    if (membership === undefined || membership.isLost) return;
    const { log } = this.#deps;
    try {
      await membership.end();
      log.info('shards given back', { slot: membership.slot, ranges: this.#holdings.size });
    } catch (error) {
      log.warn('the shards could not be given back; others wait until the Lease runs out', {
        slot: membership.slot,
        ...leaseFailure(error, this.#deps.namespace),
      });
    }
  }

  async #join(signal: AbortSignal): Promise<Membership | undefined> {
    const { clock, log, newIdentity, timing, common } = this.#deps;
    const slot = this.#freeSlot();
    if (slot === undefined) return undefined;
    const failed = (error: unknown) => this.#report('the Lease of this replica could not be renewed', error);
    try {
      const deps = { leases: this.#leases, clock, timing, failed };
      const membership = await Membership.begin(deps, newIdentity(), slot, signal);
      this.#failures.note([]);
      // The last replica of those before gives the common Lease back where it sees no other: now it would see this one.
      if (await common.confirm(signal)) {
        log.info('takes part in the shards', { slot: membership.slot, identity: membership.identity });
        return membership;
      }
      await membership.end();
    } catch (error) {
      if (!signal.aborted && !isLostRace(error)) this.#failures.note([{ what: 'no Lease could be taken', error }]);
    }
    return undefined;
  }

  /** One that is free, or whose holder is dead. */
  #freeSlot(): { readonly index: number; readonly before: LeaseView | undefined } | undefined {
    const { clock, log, timing } = this.#deps;
    const { slots } = this.#seen.now;
    const dead = new Set(deadSlots({ slots, ranges: [] }, clock.monotonicMs(), timing));
    const isFree = (slot: LeaseView | undefined) => slot === undefined || slot.holder === '' || dead.has(slot);
    const index = slots.findIndex(isFree);
    if (index === -1 && !this.#isFull)
      log.warn('all places are taken, so this replica waits', { replicas: slots.length });
    this.#isFull = index === -1;
    return index === -1 ? undefined : { index, before: slots[index] };
  }

  async #takePart(membership: Membership, signal: AbortSignal): Promise<void> {
    const { common, log } = this.#deps;
    this.#membership = membership;
    const ended = new AbortController();
    const abort = () => ended.abort();
    signal.addEventListener('abort', abort);
    const kept = membership.keep(ended.signal);
    while (!signal.aborted && !membership.isLost) {
      await this.#step(membership, signal);
      if (!common.held()) await this.leave();
      if (!signal.aborted && !membership.isLost)
        await this.#pause.during(this.#holdings.leaving.size > 0 ? DRAIN_TICK_MS : TICK_MS, signal);
    }
    ended.abort();
    await kept;
    signal.removeEventListener('abort', abort);
    if (signal.aborted) return;
    log.error('another replica has taken the place of this one, or the common Lease is lost', {
      slot: membership.slot,
    });
    this.#holdings.clear();
    this.#membership = undefined;
  }

  async #step(membership: Membership, signal: AbortSignal): Promise<void> {
    const { clock, timing } = this.#deps;
    const board = this.#seen.now;
    const seen = this.#deps.known.get(membership.slot);
    membership.note(seen);
    // The Lease was deleted. The next renewal creates it, or shows that the slot is lost.
    if (membership.isLost || seen === undefined) return;
    this.#holdings.sync(heldBy(board, membership.identity));
    this.#noteOthers(board);
    this.#seen.noteFree(board);
    // Paused: what the board says may be old, and the first thing is to renew.
    if (!this.isActive || this.#isClosing || this.#failures.hasToWait) return;
    const { identity } = membership;
    const { isBusy } = this.#deps;
    const self = { identity, leaving: this.#holdings.leaving, pausedUntilMs: this.#pausedUntilMs, isBusy };
    const moves = movesOf(board, self, this.#seen.freeSince, clock.monotonicMs(), timing);
    const failures: (Failure | undefined)[] = [];
    for (const slot of moves.clear) failures.push(await this.#clear(slot, signal));
    for (let from = 0; from < moves.claim.length; from += AT_ONCE) {
      const ranges = moves.claim.slice(from, from + AT_ONCE);
      failures.push(...(await Promise.all(ranges.map((range) => this.#claim(range, board, membership, signal)))));
    }
    if (moves.giveBack !== undefined) this.#holdings.leaving.add(moves.giveBack);
    for (const range of this.#holdings.leaving) failures.push(await this.#giveBack(range, signal));
    if (!signal.aborted) this.#failures.note(failures.filter((each) => each !== undefined));
    if (moves.claim.length > 0) this.#holdings.sync(heldBy(this.#seen.now, identity));
  }

  async #clear(slot: LeaseView, signal: AbortSignal): Promise<Failure | undefined> {
    const { log } = this.#deps;
    return tryTo('the Lease of a dead replica could not be cleared', async () => {
      await this.#writeOver(slot, slot.name, '', signal);
      log.warn('a replica is dead; its ranges are free', { slot: slot.name, identity: slot.holder });
    });
  }

  async #claim(
    range: number,
    { ranges }: Board,
    { identity }: Membership,
    signal: AbortSignal,
  ): Promise<Failure | undefined> {
    if (!this.isActive) return undefined;
    const failure = await tryTo('a range could not be taken', async () => {
      await this.#writeOver(ranges[range], rangeLeaseName(range), identity, signal);
    });
    // One that came back after it was given up: the replica that lacks it doesn't take it.
    const sinceMs = this.#seen.freeSince.get(range);
    const { clock, timing } = this.#deps;
    if (sinceMs !== undefined && clock.monotonicMs() - sinceMs >= timing.orphanMs)
      this.#pausedUntilMs = clock.monotonicMs() + timing.pauseMs;
    return failure;
  }

  /** A watch that brings nothing any more would have it lose the same race again and again. */
  async #writeOver(before: LeaseView | undefined, name: string, holder: string, signal: AbortSignal): Promise<void> {
    try {
      await this.#leases.write(name, holder, before, signal);
    } catch (error) {
      if (isLostRace(error)) await this.#leases.read(name, signal);
      throw error;
    }
  }

  async #giveBack(range: number, signal: AbortSignal): Promise<Failure | undefined> {
    const { clock, isBusy, known, timing } = this.#deps;
    if (!this.#holdings.isGiven(range, isBusy)) return undefined;
    const identity = this.#membership?.identity ?? '';
    const lease = known.get(rangeLeaseName(range));
    if (lease?.holder === identity) {
      const failure = await tryTo('a range could not be given back', async () => {
        await this.#leases.write(rangeLeaseName(range), '', lease, signal);
      });
      if (isRefusal(failure?.error)) {
        this.#pausedUntilMs = clock.monotonicMs() + timing.pauseMs;
        this.#holdings.keep(range);
      }
      if (failure !== undefined) return failure;
    }
    const board = this.#seen.now;
    if (board.ranges[range]?.holder === identity) return undefined;
    this.#holdings.sync(heldBy(board, identity));
    this.#holdings.gone(range);
    return undefined;
  }

  #noteOthers({ ranges }: Board): void {
    const ours = this.#membership?.identity;
    ranges.forEach((range, index) => {
      if (range !== undefined && range.holder !== '' && range.holder !== ours) this.#holdings.noteOther(index);
    });
  }

  #report(what: string, error: unknown): void {
    const { log, namespace } = this.#deps;
    log.warn(what, leaseFailure(error, namespace));
  }
}

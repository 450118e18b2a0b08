import { memberLeaseName } from '../api/shard-names.ts';
import type { Clock } from '../clock.ts';
import type { LeaseView } from './lease-view.ts';
import { isLostRace, type Leases } from './leases.ts';
import type { ShardTiming } from './timing.ts';

interface MembershipDeps {
  readonly leases: Pick<Leases, 'read' | 'write'>;
  readonly clock: Clock;
  readonly timing: Pick<ShardTiming, 'renewDeadlineMs' | 'retryMs'>;
  /** A renewal failed for another reason than a race. */
  failed(error: unknown): void;
}

/**
 * The time during which a replica has one slot. Its identity is never used again: once the slot is cleared by another replica, the
 * ranges that name it are free.
 */
export class Membership {
  readonly identity: string;
  readonly slot: string;
  readonly #deps: MembershipDeps;
  #stored: LeaseView;
  /** When the last renewal that was confirmed began. */
  #renewedAtMs: number;
  #isLost = false;

  private constructor(deps: MembershipDeps, identity: string, stored: LeaseView, renewedAtMs: number) {
    this.#deps = deps;
    this.identity = identity;
    this.slot = stored.name;
    this.#stored = stored;
    this.#renewedAtMs = renewedAtMs;
  }

  /** Takes a slot that is as in `before`, which nobody holds. Throws where another replica is faster. */
  static async begin(
    deps: MembershipDeps,
    identity: string,
    slot: { readonly index: number; readonly before: LeaseView | undefined },
    signal: AbortSignal,
  ): Promise<Membership> {
    const startedMs = deps.clock.monotonicMs();
    const stored = await deps.leases.write(memberLeaseName(slot.index), identity, slot.before, signal);
    return new Membership(deps, identity, stored, startedMs);
  }

  /**
   * Whether this replica may act at this very moment. A process that was frozen learns it from the clock, before any of its timers
   * has fired.
   */
  get isAlive(): boolean {
    const { clock, timing } = this.#deps;
    return !this.#isLost && clock.monotonicMs() - this.#renewedAtMs < timing.renewDeadlineMs;
  }

  /** Whether another replica has taken the slot away. Until then its ranges are its own, though it may have to pause. */
  get isLost(): boolean {
    return this.#isLost;
  }

  /** What the watch knows of the slot. */
  note(seen: LeaseView | undefined): void {
    if (seen !== undefined && seen.holder !== this.identity) this.#isLost = true;
  }

  /** Renews until the slot is lost or the signal aborts. After a failure it tries again twice as soon. */
  async keep(signal: AbortSignal): Promise<void> {
    const { clock, timing } = this.#deps;
    let waitMs = timing.retryMs;
    while (!this.#isLost && !signal.aborted) {
      // A fifth to both sides, so that replicas don't write together for ever.
      await clock.sleep(waitMs * (0.8 + 0.4 * clock.random()), signal).catch(() => {});
      if (this.#isLost || signal.aborted) return;
      const startedMs = clock.monotonicMs();
      const isRenewed = await this.#renew(signal);
      waitMs = isRenewed ? timing.retryMs : Math.max(0, timing.retryMs / 2 - (clock.monotonicMs() - startedMs));
    }
  }

  /** Leaves the slot, which frees all ranges of this replica at once. Throws where that can't be written. */
  async end(): Promise<void> {
    if (this.#isLost) return;
    this.#isLost = true;
    const { leases } = this.#deps;
    try {
      await leases.write(this.slot, '', this.#stored);
    } catch (error) {
      if (!isLostRace(error)) throw error;
      // A renewal was under way.
      const found = await leases.read(this.slot);
      if (found?.holder === this.identity) await leases.write(this.slot, '', found);
    }
  }

  async #renew(signal: AbortSignal): Promise<boolean> {
    try {
      if (await this.#write(signal)) return true;
      // Another replica cleared the slot, or our own last write happened although its answer was lost: a read shows which.
      const found = await this.#deps.leases.read(this.slot, signal);
      if (found?.holder !== this.identity) this.#isLost = true;
      else this.#stored = found;
      return !this.#isLost && (await this.#write(signal));
    } catch (error) {
      if (!signal.aborted) this.#deps.failed(error);
      return false;
    }
  }

  async #write(signal: AbortSignal): Promise<boolean> {
    const startedMs = this.#deps.clock.monotonicMs();
    try {
      this.#stored = await this.#deps.leases.write(this.slot, this.identity, this.#stored, signal);
    } catch (error) {
      if (isLostRace(error)) return false;
      throw error;
    }
    this.#renewedAtMs = startedMs;
    return true;
  }
}

import type { Clock } from '../clock.ts';
import { ApiError } from '../errors.ts';
import { leaseFailure } from '../kube/lease-failure.ts';
import type { Logger } from '../log.ts';
import { backoffMs } from '../queue/backoff.ts';
import { isLostRace } from './leases.ts';

/** Writes that fail are made anew after so long: one that is refused, as by RBAC, is so for each of many ranges. */
const BACKOFF = { firstMs: 500, longestMs: 4_000 };

/** What could not be written, and why. */
export interface Failure {
  readonly what: string;
  readonly error: unknown;
}

interface FailureDeps {
  readonly clock: Clock;
  readonly log: Logger;
  /** Of the Leases. */
  readonly namespace: string;
}

/** Writes of Leases that failed, and how long none is tried for that. */
export class Failures {
  readonly #deps: FailureDeps;
  #inRow = 0;
  #retryAtMs = Number.NEGATIVE_INFINITY;

  constructor(deps: FailureDeps) {
    this.#deps = deps;
  }

  get hasToWait(): boolean {
    return this.#deps.clock.monotonicMs() < this.#retryAtMs;
  }

  /** What failed at one look, with one line for what failed alike; nothing where all went well. */
  note(failures: readonly Failure[]): void {
    const { clock, log, namespace } = this.#deps;
    this.#inRow = failures.length === 0 ? 0 : this.#inRow + 1;
    if (failures.length === 0) return;
    this.#retryAtMs = clock.monotonicMs() + backoffMs(this.#inRow, BACKOFF, clock.random());
    for (const [what, alike] of Map.groupBy(failures, (each) => each.what))
      log.warn(what, { ...leaseFailure(alike[0]?.error, namespace), times: alike.length });
  }
}

/** Answers why it failed, unless another replica was faster. */
export async function tryTo(what: string, work: () => Promise<void>): Promise<Failure | undefined> {
  try {
    await work();
    return undefined;
  } catch (error) {
    return isLostRace(error) ? undefined : { what, error };
  }
}

/** Whether the API server will not do it, so that it can't happen later either: a request without an answer still may. */
export function isRefusal(error: unknown): boolean {
  return error instanceof ApiError && error.status >= 400 && error.status < 500 && error.status !== 408;
}

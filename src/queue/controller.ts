import type { Clock } from '../clock.ts';
import { type CertwheelError, classify, UnexpectedError } from '../errors.ts';
import type { Logger } from '../log.ts';
import { stackOf } from '../stack.ts';
import { backoffMs } from './backoff.ts';
import { Turns } from './turns.ts';
import { type DeadlineOf, WorkQueue } from './work-queue.ts';

/** What one run says about the next. */
export type Outcome =
  /** Nothing more to do until something changes or, where one is given, that moment comes. */
  | { readonly do: 'rest'; readonly recheckAt?: Date | undefined }
  /** It failed and has said so where people look; the run chose the moment itself. */
  | { readonly do: 'retry'; readonly at: Date }
  /** Another writer was faster: reconcile again soon, from a fresh state. Not a failure. */
  | { readonly do: 'again' };

export type Reconcile = (key: string, run: Run) => Promise<Outcome>;

export interface Run {
  /** Aborts when a graceful stop has no more patience. */
  readonly signal: AbortSignal;
  /** Waits for another machine, which may be slow: meanwhile another worker takes this one's place. */
  releaseWorker<T>(wait: () => Promise<T>): Promise<T>;
}

export interface ControllerMetrics {
  /** `seconds` spent on one run, and how it ended. */
  ran(controller: string, outcome: Outcome['do'] | 'error', seconds: number): void;
}

interface ControllerDeps {
  readonly name: string;
  readonly workers: number;
  readonly reconcile: Reconcile;
  /** By when a key should be done; without it the longest waiting comes first. */
  readonly deadlineOf?: DeadlineOf | undefined;
  /** Which keys are reconciled; all without it. */
  readonly accepts?: ((key: string) => boolean) | undefined;
  readonly clock: Clock;
  readonly log: Logger;
  readonly metrics: ControllerMetrics;
}

/** How long one run has waited outside, where it holds no worker. */
interface RunTime {
  outsideMs: number;
  /** How many things it waits for outside at this moment, and since when. */
  waits: number;
  leftMs: number;
}

/** A run that couldn't even report its failure: the API server is away, or we have a bug. */
const LOST_RUN = { firstMs: 200, longestMs: 15_000 };
/** A lost race is settled by one fresh look; only a rival that writes all the time makes us wait longer. */
const LOST_RACE = { firstMs: 20, longestMs: 5_000 };

/** Workers that take keys from a queue, one run per key at a time, and the one place that decides what follows a run. */
export class Controller {
  readonly queue: WorkQueue;
  readonly #deps: ControllerDeps;
  readonly #stop = new AbortController();
  readonly #turns: Turns;
  /** Runs in a row that ended in an error or in a lost race, by key; gone with the first that doesn't. */
  readonly #stumbles = new Map<string, number>();
  readonly #workers = new Set<Promise<void>>();
  /** Workers that aren't waiting for another machine. */
  #active = 0;

  constructor(deps: ControllerDeps) {
    this.#deps = deps;
    this.#turns = new Turns(deps.clock);
    this.queue = new WorkQueue(deps.clock, deps.deadlineOf, deps.accepts);
  }

  /** Starts the workers; harmless when they run already. */
  start(): void {
    while (this.#active < this.#deps.workers) this.#hire();
  }

  /** Takes no new key, and waits at most `graceMs` for the runs under way before it aborts them. */
  async stop(graceMs: number): Promise<void> {
    this.queue.close();
    const timer = setTimeout(() => this.#stop.abort(new Error('shutting down')), graceMs);
    while (this.#workers.size > 0) await Promise.all(this.#workers);
    clearTimeout(timer);
  }

  #hire(): void {
    this.#active++;
    const worker = this.#work().finally(() => this.#workers.delete(worker));
    this.#workers.add(worker);
  }

  async #work(): Promise<void> {
    // One too many: a worker that waited is back, and this one stood in for it.
    while (this.#active <= this.#deps.workers) {
      const key = await this.queue.take();
      if (key === undefined) break;
      this.queue.done(key, await this.#run(key));
      await this.#turns.end();
    }
    // In the same turn as the question: two that leave at once would each count the other, and none would be left.
    this.#active--;
  }

  async #releaseWorker<T>(wait: () => Promise<T>, time: RunTime): Promise<T> {
    // A run has one worker to release, though it waits for several things at once.
    if (time.waits++ === 0) {
      time.leftMs = this.#deps.clock.monotonicMs();
      this.#active--;
      this.#hire();
    }
    try {
      return await wait();
    } finally {
      this.#waited(time);
    }
  }

  #waited(time: RunTime): void {
    if (--time.waits > 0) return;
    time.outsideMs += this.#deps.clock.monotonicMs() - time.leftMs;
    this.#active++;
  }

  /** Answers for how many milliseconds it has held a worker. */
  async #run(key: string): Promise<number> {
    const { clock, metrics, name, reconcile } = this.#deps;
    const time: RunTime = { outsideMs: 0, waits: 0, leftMs: 0 };
    const startedMs = clock.monotonicMs();
    let ended: Outcome['do'] | 'error';
    try {
      const releaseWorker: Run['releaseWorker'] = (wait) => this.#releaseWorker(wait, time);
      const outcome = await reconcile(key, { signal: this.#stop.signal, releaseWorker });
      ended = outcome.do;
      this.#schedule(key, outcome);
    } catch (thrown) {
      ended = 'error';
      if (!this.#stop.signal.aborted) this.#reschedule(key, classify(thrown));
    }
    const tookMs = clock.monotonicMs() - startedMs;
    metrics.ran(name, ended, tookMs / 1000);
    return tookMs - time.outsideMs;
  }

  #schedule(key: string, outcome: Outcome): void {
    switch (outcome.do) {
      case 'rest':
        this.#stumbles.delete(key);
        if (outcome.recheckAt !== undefined) this.queue.add(key, outcome.recheckAt);
        return;
      case 'retry':
        this.#stumbles.delete(key);
        this.queue.add(key, outcome.at);
        return;
      case 'again':
        this.queue.add(key, this.#after(backoffMs(this.#stumble(key), LOST_RACE, this.#deps.clock.random())));
        return;
      default:
        outcome satisfies never;
    }
  }

  #reschedule(key: string, error: CertwheelError): void {
    const { clock, log, name } = this.#deps;
    const attempt = this.#stumble(key);
    const waitMs = Math.max(error.retryAfterMs ?? 0, backoffMs(attempt, LOST_RUN, clock.random()));
    const fields = {
      controller: name,
      key,
      code: error.code,
      error: error.message,
      attempt,
      retryInSeconds: Math.ceil(waitMs / 1000),
    };
    if (error instanceof UnexpectedError)
      log.error('unexpected error, please report it', {
        ...fields,
        stack: stackOf(error.cause instanceof Error ? error.cause : error),
      });
    // A write by another client at the same moment is no problem, unless it happens again and again.
    else if (error.code === 'Conflict' && attempt === 1) log.debug('run failed', fields);
    else log.warn('run failed', fields);
    this.queue.add(key, this.#after(waitMs));
  }

  #stumble(key: string): number {
    const count = (this.#stumbles.get(key) ?? 0) + 1;
    this.#stumbles.set(key, count);
    return count;
  }

  #after(ms: number): Date {
    return new Date(this.#deps.clock.now().getTime() + ms);
  }
}

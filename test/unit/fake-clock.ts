import type { Clock } from '../../src/clock.ts';

/** Node fires a timer above this after one millisecond; so does this clock, so that tests see what it would do. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;
/** Turns of the event loop in which all work between two timers must end. */
const SETTLING_TURNS = 3;

interface Timer {
  readonly dueMs: number;
  readonly fire: () => void;
}

/** The handle of a timer, in place of Node's. */
class Handle {
  readonly id: number;

  constructor(id: number) {
    this.id = id;
  }

  unref(): this {
    return this;
  }
}

/** A clock that stands still until a test moves it, and timers that fire by hand. */
export class FakeClock implements Clock {
  /** The next value of `random`; a test may change it at any time. */
  chance = 0.5;
  /** The delays of all timers that were set. */
  readonly delays: number[] = [];
  #wallMs: number;
  #monotonicMs = 1_000;
  readonly #timers = new Map<number, Timer>();
  #lastTimer = 0;

  constructor(start: Date) {
    this.#wallMs = start.getTime();
  }

  now(): Date {
    return new Date(this.#wallMs);
  }

  monotonicMs(): number {
    return this.#monotonicMs;
  }

  random(): number {
    return this.chance;
  }

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      signal?.throwIfAborted();
      const timer = this.#add(ms, resolve);
      signal?.addEventListener('abort', () => {
        this.#timers.delete(timer);
        reject(signal.reason);
      });
    });
  }

  /** Timers that haven't fired yet. */
  get pending(): number {
    return this.#timers.size;
  }

  /** `ms` from now on this clock. */
  in(ms: number): Date {
    return new Date(this.#wallMs + ms);
  }

  /** The wall clock is set; timers don't notice. */
  jump(ms: number): void {
    this.#wallMs += ms;
  }

  /** Lets time pass: fires the timers in order of their due times, and waits after each until the work that it started ends. */
  async advance(ms: number): Promise<void> {
    const endMs = this.#monotonicMs + ms;
    await settle();
    for (let next = this.#next(endMs); next !== undefined; next = this.#next(endMs)) {
      this.#moveTo(next[1].dueMs);
      this.#timers.delete(next[0]);
      next[1].fire();
      await settle();
    }
    this.#moveTo(endMs);
  }

  /** Puts this clock's timers in the place of Node's until the answer is called. */
  takeTimers(): () => void {
    const { setTimeout: realSet, clearTimeout: realClear } = globalThis;
    globalThis.setTimeout = ((fire: () => void, ms = 0) => new Handle(this.#add(ms, fire))) as never;
    globalThis.clearTimeout = ((timer: Handle | undefined) => void this.#timers.delete(timer?.id ?? 0)) as never;
    return () => {
      globalThis.setTimeout = realSet;
      globalThis.clearTimeout = realClear;
    };
  }

  #add(ms: number, fire: () => void): number {
    this.delays.push(ms);
    this.#lastTimer += 1;
    const delayMs = ms > LONGEST_TIMER_MS || !(ms >= 1) ? 1 : ms;
    this.#timers.set(this.#lastTimer, { dueMs: this.#monotonicMs + delayMs, fire });
    return this.#lastTimer;
  }

  #next(endMs: number): [number, Timer] | undefined {
    return [...this.#timers]
      .filter(([, { dueMs }]) => dueMs <= endMs)
      .sort(([, one], [, other]) => one.dueMs - other.dueMs)[0];
  }

  #moveTo(monotonicMs: number): void {
    this.#wallMs += monotonicMs - this.#monotonicMs;
    this.#monotonicMs = monotonicMs;
  }
}

/** Waits until all work that needs no timer has ended. */
export async function settle(): Promise<void> {
  for (let turn = 0; turn < SETTLING_TURNS; turn++) await new Promise((resolve) => setImmediate(resolve));
}

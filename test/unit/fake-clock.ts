import type { Clock } from '../../src/clock.ts';

/** Node fires a timer above this after one millisecond; so does this clock, so that tests see what it would do. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;
/** Real time that a test may take to come to rest between two timers. */
const SETTLING_TURNS = 3;

interface Timer {
  readonly dueMs: number;
  readonly fire: () => void;
}

/** What stands for a timer in place of Node's object. */
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
  /** What `random` answers next; a test may change it at any time. */
  chance = 0.5;
  /** Every delay that a timer was asked for. */
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

  /** Somebody sets the wall clock; no timer knows of it. */
  jump(ms: number): void {
    this.#wallMs += ms;
  }

  /** Lets time pass: fires what becomes due in its order, and waits after each until all that it started has come to rest. */
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

/** All that was started and needs no timer has come to its end. */
export async function settle(): Promise<void> {
  for (let turn = 0; turn < SETTLING_TURNS; turn++) await new Promise((resolve) => setImmediate(resolve));
}

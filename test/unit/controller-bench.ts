import { test } from 'uvu';
import type { LogFields } from '../../src/log.ts';
import { Controller, type Outcome, type Reconcile } from '../../src/queue/controller.ts';
import { FakeClock } from './fake-clock.ts';

const START = new Date('2026-06-01T12:00:00Z');

interface Line extends LogFields {
  readonly level: string;
  readonly message: string;
}

export interface Bench {
  readonly clock: FakeClock;
  readonly controller: Controller;
  /** The outcome or the error of each run; by default the key rests. */
  answer: Reconcile;
  /** When each run began, in milliseconds since the start. */
  readonly runs: number[];
  readonly lines: Line[];
  readonly metrics: (readonly [controller: string, outcome: string, seconds: number])[];
}

/** A test of a controller with two workers. It runs from the start of the test and is stopped at its end. */
export function bench(name: string, body: (bench: Bench) => Promise<void>): void {
  test(name, async () => {
    const clock = new FakeClock(START);
    const giveBack = clock.takeTimers();
    const lines: Line[] = [];
    const write = (level: string) => (message: string, fields?: LogFields) =>
      void lines.push({ ...fields, level, message });
    const metrics: [string, string, number][] = [];
    const runs: number[] = [];
    const one: Bench = {
      clock,
      runs,
      lines,
      metrics,
      answer: async () => ({ do: 'rest' }),
      controller: new Controller({
        name: 'things',
        workers: 2,
        clock,
        log: { debug: write('debug'), info: write('info'), warn: write('warn'), error: write('error') },
        metrics: { ran: (...row) => void metrics.push(row) },
        reconcile: (key, run) => {
          runs.push(clock.now().getTime() - START.getTime());
          return one.answer(key, run);
        },
      }),
    };
    try {
      one.controller.start();
      await body(one);
      const stopped = one.controller.stop(0);
      await clock.advance(1);
      await stopped;
    } finally {
      giveBack();
    }
  });
}

/** Returns these outcomes one after the other, then lets the key rest. */
export function inTurn(...outcomes: (Outcome | Error)[]): Reconcile {
  return async () => {
    const next = outcomes.shift() ?? ({ do: 'rest' } as const);
    if (next instanceof Error) throw next;
    return next;
  };
}

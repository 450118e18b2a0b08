import { readFileSync, writeFileSync } from 'node:fs';
import { isStep } from './plan.ts';
import type { Ended } from './report.ts';

const FILE = `${import.meta.dirname}/timings.json`;

export type Timings = Readonly<Record<string, number>>;

/** Seconds that each test file took when they were last recorded. */
export function readTimings(): Timings {
  return JSON.parse(readFileSync(FILE, 'utf8'));
}

/** Keeps those of files that did not run now. */
export function recordTimings(ended: readonly Ended[], before: Timings): void {
  const now = ended.flatMap(({ job, result }) =>
    isStep(job.name) ? [] : [[job.name, Math.max(1, Math.round(result.seconds))] as const],
  );
  const all = Object.entries({ ...before, ...Object.fromEntries(now) }).toSorted(([a], [b]) => (a < b ? -1 : 1));
  writeFileSync(FILE, `${JSON.stringify(Object.fromEntries(all), undefined, 2)}\n`);
}

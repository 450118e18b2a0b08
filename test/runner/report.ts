import type { StepName } from './graph.ts';
import { STEPS } from './graph.ts';
import { isStep, type Job, suiteOf } from './plan.ts';
import { type Counts, FILE_BUDGET_SECONDS, type Result } from './run-job.ts';

export interface Ended {
  readonly job: Job;
  readonly result: Result;
}

const SLOWEST = 10;

/** What is printed as soon as a job has ended. */
export function line({ job, result }: Ended): string {
  const { passed, failed, skipped, seconds, notes, complaint } = result;
  const counts = isStep(job.name) ? (failed > 0 ? 'FAILED' : 'done') : inWords({ passed, failed, skipped });
  const first = `${job.name.padEnd(56)} ${counts.padEnd(24)} ${seconds.toFixed(1)} s`;
  return [first, ...notes.map((note) => `  ${note}`), ...(complaint === '' ? [] : [complaint])].join('\n');
}

/** The times of the steps and of the slowest files, each against its budget, and what the suites have counted. */
export function summary(ended: readonly Ended[], seconds: number, busy: number): string {
  const steps = ended.filter(({ job }) => isStep(job.name));
  const files = ended.filter(({ job }) => !isStep(job.name));
  const slowest = files.toSorted((a, b) => b.result.seconds - a.result.seconds).slice(0, SLOWEST);
  const suites = Object.entries(Object.groupBy(files, ({ job }) => suiteOf(job.name) ?? 'others'));
  return [
    ...(steps.length > 0 ? ['', 'steps'] : []),
    ...steps.map(({ job, result }) => timing(job.name, result.seconds, STEPS[job.name as StepName].budgetSeconds)),
    ...(slowest.length > 0 ? ['', 'slowest files'] : []),
    ...slowest.map(({ job, result }) => timing(job.name, result.seconds, FILE_BUDGET_SECONDS)),
    ...(suites.length > 1 ? ['', 'suites'] : []),
    ...suites.map(([name, all = []]) => `  ${name.padEnd(54)} ${inWords(total(all))}`),
    '',
    `took ${Math.round(seconds)} s, processors busy ${Math.round(100 * busy)} %`,
  ].join('\n');
}

export function total(ended: readonly Ended[]): Counts {
  const sum = (field: keyof Counts) => ended.reduce((so, { result }) => so + result[field], 0);
  return { passed: sum('passed'), failed: sum('failed'), skipped: sum('skipped') };
}

function timing(name: string, seconds: number, budget: number): string {
  const over = seconds > budget ? '  OVER BUDGET' : '';
  return `  ${name.padEnd(54)} ${seconds.toFixed(1).padStart(6)} s of ${budget} s${over}`;
}

function inWords({ passed, failed, skipped }: Counts): string {
  return `${passed} passed${failed > 0 ? `, ${failed} FAILED` : ''}${skipped > 0 ? `, ${skipped} skipped` : ''}`;
}

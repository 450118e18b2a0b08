import type { StepName } from './graph.ts';
import { STEPS } from './graph.ts';
import { isStep, type Job, suiteOf } from './plan.ts';
import { type Counts, FILE_BUDGET_SECONDS, type Result } from './run-job.ts';

export interface Ended {
  readonly job: Job;
  readonly result: Result;
}

const SLOWEST = 10;

/** As uvu writes the title of a test that failed. */
const FAILED_TEST = /^ +FAIL {2}.*(?:\n.*){2}/gm;
/** Where nothing says what failed, the end of the output does. */
const LAST_LINES = 15;

/** What is printed as soon as a job has ended. */
export function line({ job, result }: Ended): string {
  const { passed, failed, skipped, seconds, notes, complaint } = result;
  const counts = isStep(job.name) ? (failed > 0 ? 'FAILED' : 'done') : inWords({ passed, failed, skipped });
  const first = `${job.name.padEnd(56)} ${counts.padEnd(24)} ${seconds.toFixed(1)} s`;
  return [first, ...notes.map((note) => `  ${note}`), ...(complaint === '' ? [] : [complaint])].join('\n');
}

/**
 * The times of the steps and of the slowest files, each against its budget, what the suites have counted, and at the end what
 * failed: of a long log, some readers keep only the end.
 */
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
    ...failures(ended),
    '',
    `took ${Math.round(seconds)} s, processors busy ${Math.round(100 * busy)} %`,
  ].join('\n');
}

export function total(ended: readonly Ended[]): Counts {
  const sum = (field: keyof Counts) => ended.reduce((so, { result }) => so + result[field], 0);
  return { passed: sum('passed'), failed: sum('failed'), skipped: sum('skipped') };
}

function failures(ended: readonly Ended[]): string[] {
  const failed = ended.filter(({ result }) => result.failed > 0);
  if (failed.length === 0) return [];
  return ['', 'failed', ...failed.map(({ job, result }) => `  ${job.name}\n${excerpt(result.complaint)}`)];
}

/** Of the output of a failed file, the titles of its failed tests, each with the first line of what went wrong. */
function excerpt(output: string): string {
  return output.match(FAILED_TEST)?.join('\n') ?? output.trimEnd().split('\n').slice(-LAST_LINES).join('\n');
}

function timing(name: string, seconds: number, budget: number): string {
  const over = seconds > budget ? '  OVER BUDGET' : '';
  return `  ${name.padEnd(54)} ${seconds.toFixed(1).padStart(6)} s of ${budget} s${over}`;
}

function inWords({ passed, failed, skipped }: Counts): string {
  return `${passed} passed${failed > 0 ? `, ${failed} FAILED` : ''}${skipped > 0 ? `, ${skipped} skipped` : ''}`;
}

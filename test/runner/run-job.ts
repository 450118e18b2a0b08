import { delimiter } from 'node:path';
import { text } from 'node:stream/consumers';
import type { Guard } from '../cluster/guard.ts';
import { STEPS, type StepName } from './graph.ts';
import type { Lane } from './lanes.ts';
import { isBorrower, isLong, isStep, type Job } from './plan.ts';

const ROOT = `${import.meta.dirname}/../..`;

/** A file takes so long at most; what takes longer is two files, or one of the long form. */
export const FILE_BUDGET_SECONDS = 180;
/** On a busy machine. Then it is killed. */
const LONGEST_FILE_MS = 2 * FILE_BUDGET_SECONDS * 1000;
const LONGEST_LONG_FILE_MS = 15 * 60_000;
/** A file whose tests are over and that doesn't end has left something running. */
const LONGEST_END_MS = 30_000;
const OVER = /^ {2}Duration: /m;

export interface Counts {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
}

export interface Result extends Counts {
  readonly seconds: number;
  /** What it has measured. */
  readonly notes: readonly string[];
  /** Everything that it printed, where it failed. */
  readonly complaint: string;
}

interface Ran {
  readonly output: string;
  readonly code: number | null;
  readonly seconds: number;
}

export async function runJob(guard: Guard, lane: Lane, job: Job): Promise<Result> {
  return isStep(job.name) ? runStep(guard, job.name) : runFile(guard, lane, job.name);
}

async function runStep(guard: Guard, name: StepName): Promise<Result> {
  const { command, kind } = STEPS[name];
  const [program = '', ...args] = command;
  const { output, code, seconds } = await run(guard, name, program, args, {});
  const failed = code === 0 ? 0 : 1;
  const notes = failed === 0 && kind === 'measure' ? output.trim().split('\n') : [];
  return { passed: 0, skipped: 0, failed, seconds, notes, complaint: failed > 0 ? output : '' };
}

async function runFile(guard: Guard, lane: Lane, file: string): Promise<Result> {
  const borrows = isBorrower(file);
  const environment = { FORCE_COLOR: '0', ...(borrows ? await lane.lend() : {}) };
  const longestMs = isLong(file) ? LONGEST_LONG_FILE_MS : LONGEST_FILE_MS;
  const { output, code, seconds } = await run(guard, 'test', process.execPath, [file], environment, longestMs);
  if (borrows) await lane.takeBack();
  const counts = judge(output, code === 0);
  const notes = output.split('\n').flatMap((line) => (line.startsWith('# ') ? [line.slice(2)] : []));
  const why = OVER.test(output) ? ', since its tests were over and something of it was still running' : '';
  const killed = code === null ? `\nkilled after ${seconds} s${why}` : '';
  return { ...counts, seconds, notes, complaint: counts.failed > 0 ? `${output}${killed}` : '' };
}

async function run(
  guard: Guard,
  name: string,
  program: string,
  args: readonly string[],
  environment: Readonly<Record<string, string>>,
  longestMs?: number,
): Promise<Ran> {
  const startedMs = performance.now();
  const PATH = [`${ROOT}/node_modules/node/bin`, `${ROOT}/node_modules/.bin`, process.env.PATH].join(delimiter);
  const options = { folder: ROOT, environment: { ...environment, PATH }, endsGroup: true };
  const child = guard.run(name, program, args, options);
  child.stdin?.end();
  // A build takes minutes: who waits for it sees that it goes on.
  if (isStep(name)) child.stderr?.pipe(process.stderr, { end: false });
  const kill = () => void child.stop(0);
  const timers = longestMs === undefined ? [] : [setTimeout(kill, longestMs)];
  child.stdout?.on('data', (chunk) => {
    if (OVER.test(String(chunk))) timers.push(setTimeout(kill, LONGEST_END_MS));
  });
  const [output, errors, { code }] = await Promise.all([
    child.stdout ? text(child.stdout) : '',
    child.stderr ? text(child.stderr) : '',
    child.ended,
  ]);
  timers.forEach(clearTimeout);
  return { output: `${output}${errors}`, code, seconds: Math.round((performance.now() - startedMs) / 100) / 10 };
}

/** uvu calls a file green that ran no test, or whose set-up threw: what counts is what it says it ran. */
export function judge(output: string, exitedWell: boolean): Counts {
  const count = (name: string) => Number(new RegExp(`^ *${name}:\\s+(\\d+)`, 'm').exec(output)?.[1] ?? 0);
  const [total, passed, skipped] = [count('Total'), count('Passed'), count('Skipped')];
  const failed = total - passed;
  // At least one failure where the file fell over before or after its tests, or had none.
  return { passed, skipped, failed: failed === 0 && (total + skipped === 0 || !exitedWell) ? 1 : failed };
}

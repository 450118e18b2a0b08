import { startGuard } from '../cluster/guard.ts';
import { Lane } from './lanes.ts';
import { isStep, type Job, LANES, nextJob } from './plan.ts';
import type { Ended } from './report.ts';
import { runJob } from './run-job.ts';

/** Runs all jobs, each as soon as what it needs is there and there is room for it; `tell` hears of each that has ended. */
export async function runAll(jobs: readonly Job[], tell: (ended: Ended) => void): Promise<readonly Ended[]> {
  const guard = startGuard();
  const lanes = Array.from({ length: LANES }, () => new Lane());
  const free = [...lanes];
  const running = new Map<Job, Promise<void>>();
  const done = new Set<string>();
  const all: Ended[] = [];
  let waiting = [...jobs];

  const end = (ended: Ended) => {
    all.push(ended);
    tell(ended);
    if (ended.result.failed === 0) done.add(ended.job.name);
    else if (isStep(ended.job.name)) refuse(ended.job.name);
  };
  const refuse = (step: string) => {
    const hopeless = waiting.filter(({ needs }) => needs.includes(step));
    waiting = waiting.filter((job) => !hopeless.includes(job));
    for (const job of hopeless) end({ job, result: notRun(step) });
  };
  const start = (job: Job) => {
    waiting = waiting.filter((each) => each !== job);
    // Fetches and builds take none of the lanes, and borrow no control plane.
    const lane = job.kind === 'fetch' || job.kind === 'build' ? new Lane() : (free.shift() ?? new Lane());
    const run = async () => {
      const result = await runJob(guard, lane, job).catch((error: Error) => failure(error));
      running.delete(job);
      if (lanes.includes(lane)) free.unshift(lane);
      end({ job, result });
    };
    running.set(job, run());
  };

  try {
    while (waiting.length > 0 || running.size > 0) {
      const next = () => nextJob({ waiting, running: [...running.keys()], done });
      for (let job = next(); job !== undefined; job = next()) start(job);
      await Promise.race(running.values());
    }
  } finally {
    await Promise.all(lanes.map((lane) => lane.close()));
    await guard.close();
  }
  return all;
}

function notRun(step: string) {
  return { passed: 0, failed: 1, skipped: 0, seconds: 0, notes: [], complaint: `not run, since ${step} failed` };
}

function failure(error: Error) {
  return { passed: 0, failed: 1, skipped: 0, seconds: 0, notes: [], complaint: error.stack ?? error.message };
}

/**
 * Runs suites, folders or files, with all that has to be there before: `node test/run.ts unit e2e src/pki`.
 * `--long` adds the long form of suites; `--record` writes down how long each file took.
 * The last line is `N passed, N failed`, and `, N skipped` where there are any.
 */
import { globSync } from 'node:fs';
import { cpus } from 'node:os';
import { parseArgs } from 'node:util';
import { SUITES } from './runner/graph.ts';
import { plan } from './runner/plan.ts';
import { line, summary, total } from './runner/report.ts';
import { runAll } from './runner/run-all.ts';
import { readTimings, recordTimings } from './runner/timings.ts';

const ROOT = `${import.meta.dirname}/..`;

const { values, positionals: names } = parseArgs({
  allowPositionals: true,
  options: { long: { type: 'boolean', default: false }, record: { type: 'boolean', default: false } },
});
const timings = readTimings();
const jobs = plan({ names, long: values.long, find: testFiles, timings });
if (jobs.length === 0) {
  console.error(
    `nothing to run in ${names.join(', ') || 'nothing'}; give ${Object.keys(SUITES).join(', ')}, a folder or a file`,
  );
  process.exit(1);
}

const startedMs = performance.now();
const processors = processorTimes();
const ended = await runAll(jobs, (each) => console.log(line(each)));
if (values.record) recordTimings(ended, timings);
const seconds = (performance.now() - startedMs) / 1000;
if (jobs.length > 1) console.log(summary(ended, seconds, busyShare(processors, processorTimes())));
const { passed, failed, skipped } = total(ended);
console.log(`${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`);
process.exit(failed > 0 ? 1 : 0);

/** Milliseconds that all processors have spent so far, idle and in all. */
function processorTimes() {
  const times = cpus().map(({ times }) => times);
  const sum = (each: (typeof times)[number]) => Object.values(each).reduce((so, ms) => so + ms, 0);
  return { idle: times.reduce((so, each) => so + each.idle, 0), all: times.reduce((so, each) => so + sum(each), 0) };
}

function busyShare(before: ReturnType<typeof processorTimes>, after: ReturnType<typeof processorTimes>): number {
  return 1 - (after.idle - before.idle) / Math.max(1, after.all - before.all);
}

function testFiles(path: string): string[] {
  if (path.endsWith('.test.ts')) return [path];
  return globSync(`${path.replace(/\/$/, '')}/**/*.test.ts`, { cwd: ROOT }).sort();
}

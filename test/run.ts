/**
 * Runs test files, each in a process of its own, and counts what really ran: `node test/run.ts unit e2e src/pki`.
 * The last line is `N passed, N failed`, and `, N skipped` where there are any.
 */
import { spawn } from 'node:child_process';
import { globSync } from 'node:fs';
import { relative } from 'node:path';
import { text } from 'node:stream/consumers';

const ROOT = `${import.meta.dirname}/..`;

/** Names for what is run together; anything else is a folder or a file. */
const SUITES: Readonly<Record<string, readonly string[]>> = {
  unit: ['src', 'tools', 'test/docs'],
  e2e: ['test/cluster', 'test/e2e'],
  demo: ['test/demo'],
  chart: ['test/chart'],
  authorities: ['test/e2e/authorities'],
  node: ['test/cluster/node', 'test/e2e/node'],
};

/** What has a suite of its own, since it takes long or needs servers of its own. */
const APART = ['authorities', 'node'].flatMap((name) => SUITES[name] ?? []);

/** Each e2e file starts a control plane of its own; two of them fill two cores. */
const AT_ONCE = 2;
const LONGEST_FILE_MS = 5 * 60_000;
/** The kubelet takes its time, and rotations have to be waited for. */
const LONGEST_NODE_FILE_MS = 12 * 60_000;

interface Result {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
}

const files = [...new Set(process.argv.slice(2).flatMap(filesOf))];
if (files.length === 0)
  fail(
    `no test file in ${process.argv.slice(2).join(', ') || 'nothing'}; give ${Object.keys(SUITES).join(', ')}, a folder or a file`,
  );

const results = await runAll(files);
const total = (field: keyof Result) => results.reduce((sum, result) => sum + result[field], 0);
const skipped = total('skipped');
console.log(`${total('passed')} passed, ${total('failed')} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`);
process.exit(total('failed') > 0 ? 1 : 0);

/** A suite's folders may lie within another's, to which they don't belong then. */
function filesOf(name: string): string[] {
  const files = (SUITES[name] ?? [name]).flatMap(testFiles);
  return name === 'e2e' ? files.filter((file) => !isIn(APART, file)) : files;
}

function isIn(folders: readonly string[] | undefined, file: string): boolean {
  return folders?.some((folder) => file.startsWith(`${folder}/`)) === true;
}

function testFiles(path: string): string[] {
  if (path.endsWith('.test.ts')) return [path];
  return globSync(`${path}/**/*.test.ts`, { cwd: ROOT }).sort();
}

async function runAll(all: readonly string[]): Promise<Result[]> {
  const waiting = [...all];
  const done: Result[] = [];
  const worker = async () => {
    for (let file = waiting.shift(); file !== undefined; file = waiting.shift()) done.push(await run(file));
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
  return done;
}

async function run(file: string): Promise<Result> {
  const startedMs = performance.now();
  const child = spawn(process.execPath, [file], {
    cwd: ROOT,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, FORCE_COLOR: '0' },
  });
  const longestMs = isIn(SUITES.node, file) ? LONGEST_NODE_FILE_MS : LONGEST_FILE_MS;
  const timer = setTimeout(() => child.kill('SIGKILL'), longestMs);
  const [output, errors, code] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    new Promise((resolve) => child.on('close', resolve)),
  ]);
  clearTimeout(timer);
  const result = judge(output, code === 0);
  const seconds = ((performance.now() - startedMs) / 1000).toFixed(1);
  const counts = `${result.passed} passed${result.failed > 0 ? `, ${result.failed} FAILED` : ''}${result.skipped > 0 ? `, ${result.skipped} skipped` : ''}`;
  console.log(`${relative(ROOT, `${ROOT}/${file}`).padEnd(56)} ${counts.padEnd(24)} ${seconds} s`);
  // What a test has measured.
  for (const line of output.split('\n')) if (line.startsWith('# ')) console.log(`  ${line.slice(2)}`);
  if (result.failed > 0)
    console.log(`${output}${errors}${code === null ? `\nkilled after ${longestMs / 1000} s` : ''}`);
  return result;
}

/** uvu calls a file green that ran no test, or whose set-up threw: what counts is what it says it ran. */
function judge(output: string, exitedWell: boolean): Result {
  const count = (name: string) => Number(new RegExp(`${name}:\\s+(\\d+)`).exec(output)?.[1] ?? 0);
  const [total, passed, skipped] = [count('Total'), count('Passed'), count('Skipped')];
  const failed = total - passed;
  // At least one failure where the file fell over before or after its tests, or had none.
  return { passed, skipped, failed: failed === 0 && (total + skipped === 0 || !exitedWell) ? 1 : failed };
}

function fail(message: string): never {
  console.error(message);
  process.exit(1);
}

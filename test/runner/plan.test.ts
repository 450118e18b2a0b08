import { existsSync, globSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { ALONE, BORROWERS, NEEDS, STEPS, type StepName, SUITES } from './graph.ts';
import { type Job, LANES, nextJob, plan, suiteOf } from './plan.ts';

const ROOT = join(import.meta.dirname, '../..');
const find = (path: string) =>
  path.endsWith('.test.ts') ? [path] : globSync(`${path}/**/*.test.ts`, { cwd: ROOT }).sort();
const planned = (names: readonly string[], long = false, timings = {}) => plan({ names, long, find, timings });
const names = (jobs: readonly Job[]) => jobs.map(({ name }) => name);

/** Runs all jobs one after the other as far as the plan lets them start; answers which ran beside each. */
function play(jobs: readonly Job[], pick: (running: readonly Job[]) => Job): Map<Job, readonly Job[]> {
  const beside = new Map<Job, readonly Job[]>();
  const done = new Set<string>();
  let waiting = [...jobs];
  let running: Job[] = [];
  while (waiting.length > 0 || running.length > 0) {
    for (let job = nextJob({ waiting, running, done }); job; job = nextJob({ waiting, running, done })) {
      const started = job;
      assert.ok(
        started.needs.every((need) => done.has(need)),
        `${started.name} has what it needs`,
      );
      waiting = waiting.filter((each) => each !== started);
      running = [...running, started];
      for (const each of running) beside.set(each, [...running]);
    }
    assert.ok(running.length > 0, `nothing runs, and these wait: ${names(waiting)}`);
    const ended = pick(running);
    running = running.filter((each) => each !== ended);
    done.add(ended.name);
  }
  return beside;
}

test('every test file belongs to one suite', () => {
  const files = ['src', 'tools', 'test'].flatMap(find);
  assert.ok(files.length > 100);
  assert.equal(
    files.filter((file) => suiteOf(file) === undefined),
    [],
  );
  const all = names(planned(Object.keys(SUITES), true)).filter((name) => name.endsWith('.test.ts'));
  assert.equal(all.toSorted(), files.toSorted());
});

test('every path and every need of the graph is there', () => {
  const paths = [...NEEDS.map(([path]) => path), ...BORROWERS, ...ALONE];
  const folders = Object.values(SUITES).flatMap(({ files = [] }) => files);
  const found = ['src', 'tools', 'test'].flatMap(find);
  for (const path of [...paths, ...folders])
    assert.ok(
      found.some((file) => file.startsWith(path)),
      path,
    );
  for (const { needs = [] } of Object.values(STEPS)) for (const need of needs) assert.ok(need in STEPS, need);
  for (const { command } of Object.values(STEPS))
    for (const script of command.filter((word) => word.endsWith('.ts')))
      assert.ok(existsSync(join(ROOT, script)), script);
});

test('a file brings the steps that it needs, and theirs; one that is named runs although it is long', () => {
  const found = names(planned(['test/e2e/node/install.test.ts']));
  for (const step of ['sources', 'packages', 'control-plane', 'servers', 'node-programs', 'image'])
    assert.ok(found.includes(step), step);
  assert.not(found.includes('vault'));
  assert.ok(found.indexOf('control-plane') < found.indexOf('servers'));
  const long = 'test/x/a.long.test.ts';
  assert.equal(names(planned([long])), [long]);
  assert.equal(
    names(planned(Object.keys(SUITES))).filter((name) => name.endsWith('.long.test.ts')),
    [],
  );
});

test('the longest file starts first, and one of unknown length before short ones', () => {
  const timings = { 'src/a.test.ts': 5, 'src/b.test.ts': 90 };
  const jobs = planned(['src/a.test.ts', 'src/c.test.ts', 'src/b.test.ts'], false, timings);
  const order = [...play(jobs, (running) => running[0] as Job).keys()];
  assert.equal(names(order), ['src/b.test.ts', 'src/c.test.ts', 'src/a.test.ts']);
});

test('whatever ends first: needs are kept, builds run one at a time, lanes are not exceeded, what measures is alone', () => {
  const jobs = planned(Object.keys(SUITES), true);
  const isBuild = ({ kind }: Job) => kind === 'build';
  fc.assert(
    fc.property(fc.infiniteStream(fc.nat()), (choices) => {
      const beside = play(jobs, (running) => running[(choices.next().value ?? 0) % running.length] as Job);
      assert.is(beside.size, jobs.length);
      for (const [job, others] of beside) {
        assert.ok(others.filter(isBuild).length <= 1);
        assert.ok(others.filter(({ kind }) => kind === 'check' || kind === 'test').length <= LANES);
        if (job.kind === 'measure') assert.equal(names(others), [job.name]);
      }
      const order = [...beside.keys()].map(({ kind }) => kind);
      assert.is(order.lastIndexOf('test') < order.indexOf('measure'), true, 'they come last');
      assert.is(order.lastIndexOf('build') < order.indexOf('measure'), true);
    }),
    { numRuns: 30 },
  );
});

test('a step is run once, however many ask for it', () => {
  const found = names(planned(['checks', 'checks', 'e2e', 'authorities']));
  assert.is(new Set(found).size, found.length);
  for (const step of ['types', 'control-plane'] satisfies StepName[]) assert.ok(found.includes(step));
});

test.run();

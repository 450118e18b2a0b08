import { ALONE, BORROWERS, NEEDS, STEPS, type StepName, SUITES } from './graph.ts';

/** A step or a test file, with what decides when it may start. */
export interface Job {
  readonly name: string;
  readonly kind: 'fetch' | 'build' | 'check' | 'test' | 'measure';
  readonly needs: readonly string[];
  /** How long it took last time, or is thought to take. */
  readonly expectedSeconds: number;
}

/** How many test files and checks run at once: most of them wait most of the time. */
export const LANES = 3;

const UNKNOWN_SECONDS = 60;

export interface Wanted {
  /** Names of suites, folders or files. */
  readonly names: readonly string[];
  /** Whether long files of suites and folders run too; one that is named always runs. */
  readonly long: boolean;
  /** Test files below a folder, or the file itself. */
  readonly find: (path: string) => readonly string[];
  readonly timings: Readonly<Record<string, number>>;
}

/** All jobs that are asked for, and the steps that they need. */
export function plan({ names, long, find, timings }: Wanted): Job[] {
  const files = [...new Set(names.flatMap((name) => filesOf(name, long, find)))];
  const tests = files.map((file) => testJob(file, timings));
  const asked = names.flatMap((name) => SUITES[name]?.steps ?? []);
  const steps = withNeeds([...asked, ...tests.flatMap(({ needs }) => needs as StepName[])]);
  return [...steps.map(stepJob), ...tests];
}

/** The name of a step, and not of a test file. */
export function isStep(name: string): name is StepName {
  return Object.hasOwn(STEPS, name);
}

/** Belongs to the long form of its suite. */
export function isLong(file: string): boolean {
  return file.endsWith('.long.test.ts');
}

export function isBorrower(file: string): boolean {
  return BORROWERS.some((path) => file.startsWith(path)) && !file.startsWith('test/e2e/node/');
}

function filesOf(name: string, long: boolean, find: Wanted['find']): readonly string[] {
  const suite = SUITES[name];
  if (suite === undefined) return find(name).filter((file) => long || file === name || !isLong(file));
  return (suite.files ?? []).flatMap(find).filter((file) => suiteOf(file) === name && (long || !isLong(file)));
}

/** The suite with the longest folder that the file lies in; undefined where none has it. */
export function suiteOf(file: string): string | undefined {
  const folders = Object.entries(SUITES).flatMap(([name, { files = [] }]) => files.map((folder) => ({ name, folder })));
  const around = folders.filter(({ folder }) => file.startsWith(`${folder}/`));
  return around.toSorted((a, b) => b.folder.length - a.folder.length)[0]?.name;
}

function testJob(file: string, timings: Wanted['timings']): Job {
  const needs = NEEDS.flatMap(([path, steps]) => (file.startsWith(path) ? steps : []));
  return {
    name: file,
    kind: ALONE.includes(file) ? 'measure' : 'test',
    needs: [...new Set(needs)],
    expectedSeconds: timings[file] ?? UNKNOWN_SECONDS,
  };
}

function stepJob(name: StepName): Job {
  const { kind, needs = [], budgetSeconds } = STEPS[name];
  return { name, kind, needs, expectedSeconds: budgetSeconds };
}

/** In the order of the graph, so that of two builds the one that stands first there comes first. */
function withNeeds(names: readonly StepName[]): StepName[] {
  const found = new Set<StepName>();
  const add = (name: StepName) => {
    found.add(name);
    for (const need of STEPS[name].needs ?? []) add(need as StepName);
  };
  names.forEach(add);
  return (Object.keys(STEPS) as StepName[]).filter((name) => found.has(name));
}

export interface State {
  readonly waiting: readonly Job[];
  readonly running: readonly Job[];
  /** Names of jobs that ended well. */
  readonly done: ReadonlySet<string>;
}

/** The job to start next; undefined where one has to end first. */
export function nextJob({ waiting, running, done }: State): Job | undefined {
  const ready = waiting.filter(({ needs }) => needs.every((need) => done.has(need)));
  const count = (...kinds: readonly Job['kind'][]) => running.filter(({ kind }) => kinds.includes(kind)).length;
  if (count('measure') > 0) return undefined;
  const first = (kind: Job['kind']) => ready.find((job) => job.kind === kind);
  const fetch = first('fetch');
  if (fetch !== undefined) return fetch;
  const build = first('build');
  if (build !== undefined && count('build') === 0) return build;
  if (count('check', 'test') < LANES) {
    const next = first('check') ?? longest(ready.filter(({ kind }) => kind === 'test'));
    if (next !== undefined) return next;
  }
  const isQuiet = running.length === 0 && waiting.every(({ kind }) => kind === 'measure');
  return isQuiet ? longest(ready) : undefined;
}

/** The longest first, so that none is left for the end that others could have run beside. */
function longest(jobs: readonly Job[]): Job | undefined {
  return jobs.toSorted((a, b) => b.expectedSeconds - a.expectedSeconds)[0];
}

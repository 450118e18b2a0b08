/** A test file that has a program built while it runs runs out of time on a new machine. */
import { existsSync, globSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { NEEDS, STEPS, type StepName } from './graph.ts';

const ROOT = join(import.meta.dirname, '../..');
const CATALOG = readFileSync(join(ROOT, 'test/programs/catalog.ts'), 'utf8');
/** Modules that are imported when the code runs. Of a pair of types alone nothing is. */
const IMPORT = /^(?:import|export) (?!type )[^;]*?from '(\.[^']+)'|import\('(\.[^']+)'\)/gm;
const PROGRAMS = /\bensurePrograms?\((\[[^\]]*\]|'[^']*'|\w+)\)/g;

function importsOf(file: string, text: string): string[] {
  return [...text.matchAll(IMPORT)]
    .map(([, fixed, lazy]) => join(dirname(file), fixed ?? lazy ?? ''))
    .filter(existsSync);
}

/** The programs that a module has built, as far as the module names them. */
function programsIn(text: string): string[] {
  return [...text.matchAll(PROGRAMS)].flatMap(([, written = '']) => {
    const named = /^\w+$/.test(written) ? definition(written, text) : written;
    return [...named.matchAll(/'([^']+)'/g)].map(([, name = '']) => name);
  });
}

function definition(constant: string, text: string): string {
  const find = new RegExp(`const ${constant} = ([^;]+)`);
  return (find.exec(text) ?? find.exec(CATALOG))?.[1] ?? '';
}

/** The programs that a test file has built, each with the module that does it. */
function programsOf(file: string): Map<string, string> {
  const programs = new Map<string, string>();
  const seen = new Set<string>();
  const walk = (module: string) => {
    if (seen.has(module) || module.includes('/test/programs/')) return;
    seen.add(module);
    const text = readFileSync(module, 'utf8');
    for (const name of programsIn(text)) programs.set(name, relative(ROOT, module));
    for (const next of importsOf(module, text)) walk(next);
  };
  walk(join(ROOT, file));
  return programs;
}

/** The words of its command that follow `test/programs/main.ts`. */
const builtBy = new Map(
  Object.entries(STEPS).flatMap(([step, { command }]) =>
    command
      .slice(command.indexOf('test/programs/main.ts') + 1 || command.length)
      .map((name) => [name, step as StepName] as const),
  ),
);

function stepsFor(file: string): Set<StepName> {
  const steps = new Set<StepName>();
  const add = (step: StepName) => {
    steps.add(step);
    for (const before of STEPS[step].needs ?? []) add(before as StepName);
  };
  for (const [path, needs] of NEEDS) if (file.startsWith(path)) needs.forEach(add);
  return steps;
}

test('each test file needs the steps that build the programs that its modules use', () => {
  const files = globSync('test/**/*.test.ts', { cwd: ROOT });
  const pairs = files.flatMap((file) =>
    [...programsOf(file)].map(([program, module]) => ({ file, program, module, step: builtBy.get(program) })),
  );
  // That the search finds something: each program of a server is used by some file.
  for (const program of ['kube-apiserver', 'vault', 'cert-manager', 'step-ca', 'helm', 'kubelet'])
    assert.ok(
      pairs.some((pair) => pair.program === program),
      program,
    );
  const missing = pairs.filter(({ file, step }) => step === undefined || !stepsFor(file).has(step));
  assert.equal(
    missing.map(({ file, program, module, step }) => `${file} needs ${step ?? 'a step'} for ${program} (${module})`),
    [],
  );
});

test.run();

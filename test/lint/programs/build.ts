import { join } from 'node:path';
import { type Command, type Compiled, cProgram, ensureCompiled, goProgram } from '../../programs/compiled.ts';

const folderOf = (name: string) => join(import.meta.dirname, name);

/** A Python with what requirements.txt names. */
const PYTHON: Compiled = {
  name: 'python-pkilint',
  folder: folderOf('python'),
  sources: 'requirements.txt',
  build: (source, out) => [
    ['python3', '-m', 'venv', out],
    [`${out}/bin/python`, '-m', 'pip', 'install', '--quiet', '--no-deps', '-r', `${source}/requirements.txt`],
  ],
  run: (out) => [`${out}/bin/python`],
  prove: (out) => [`${out}/bin/python`, `${folderOf('python')}/run_pkilint.py`, 'version'],
  compiler: ['python3', '--version'],
  remedy: 'Python 3.11 or newer with venv and pip is needed: apt-get install python3-venv',
};

const PROGRAMS = {
  openssl: cProgram('certificate-reader-openssl', folderOf('openssl'), ['main.c', 'fields.c']),
  go: goProgram('certificate-reader-go', folderOf('go')),
  python: PYTHON,
} as const satisfies Readonly<Record<string, Compiled>>;

export type LintProgram = keyof typeof PROGRAMS;

export const LINT_PROGRAMS = Object.keys(PROGRAMS) as readonly LintProgram[];

/** How to start a program; see `ensureCompiled`. */
export function ensureLintProgram(name: LintProgram): Promise<Command> {
  return ensureCompiled(PROGRAMS[name]);
}

/** The command for a script of the folder python. */
export async function pythonScript(name: string): Promise<Command> {
  return [...(await ensureLintProgram('python')), join(folderOf('python'), name)];
}

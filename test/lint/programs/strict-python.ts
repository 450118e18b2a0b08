import { execFile } from 'node:child_process';
import { globSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Command } from '../../programs/compiled.ts';

/** On the PATH, and where pyenv keeps those that aren't its default. */
function candidates(): readonly string[] {
  const root = process.env.PYENV_ROOT ?? join(homedir(), '.pyenv');
  const ofPyenv = globSync(join(root, 'versions', '3.1[3-9].*', 'bin', 'python3'));
  return ['python3.14', 'python3.13', ...ofPyenv, 'python3'];
}

const FIRST_STRICT = 13;

/**
 * The Python of which the default context is strict, 3.13 or newer; the machine's own where there is none. Throws an Error
 * where there is no Python at all.
 */
export async function findStrictPython(): Promise<Command> {
  const found: { program: string; minor: number }[] = [];
  for (const program of candidates()) {
    try {
      const { stdout } = await promisify(execFile)(program, ['-c', 'import sys; print(sys.version_info[1])']);
      found.push({ program, minor: Number(stdout) });
    } catch {
      // It isn't there, or is a shim of pyenv for a version that isn't chosen.
    }
  }
  const chosen = found.find(({ minor }) => minor >= FIRST_STRICT) ?? found.at(-1);
  if (chosen === undefined) throw new Error('There is no Python: apt-get install python3');
  return [chosen.program, join(import.meta.dirname, 'python', 'strict_peer.py')];
}

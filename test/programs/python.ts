import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { withLock } from './lock.ts';
import { cacheRoot } from './modules.ts';
import { showProgress } from './progress.ts';

const run = promisify(execFile);

/**
 * The path of a Python that has these packages of PyPI (`name==version`), made once in the cache. Throws an Error that says
 * what to install where there is no Python 3.
 */
export async function ensurePython(packages: readonly string[]): Promise<string> {
  const version = await run('python3', ['-VV']).catch((error: NodeJS.ErrnoException) => {
    throw new Error(`python3 doesn't run (${error.code}): apt-get install python3 python3-venv`, { cause: error });
  });
  const key = createHash('sha256')
    .update(JSON.stringify([version.stdout, packages]))
    .digest('hex');
  const folder = join(cacheRoot(), `python-${key.slice(0, 12)}`);
  const python = join(folder, 'bin', 'python');
  // A venv holds its own path, so it can't be made elsewhere and renamed.
  const finished = join(folder, 'finished');
  mkdirSync(cacheRoot(), { recursive: true });
  await withLock(`${folder}.lock`, async () => {
    if (existsSync(finished)) return;
    rmSync(folder, { recursive: true, force: true });
    await showProgress(`installing ${packages.join(', ')}, only this once`, async () => {
      await run('python3', ['-m', 'venv', folder]);
      await run(python, ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', ...packages]);
      writeFileSync(finished, '');
      return '';
    });
  });
  return python;
}

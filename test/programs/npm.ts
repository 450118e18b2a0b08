import { execFile } from 'node:child_process';
import { hash } from 'node:crypto';
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { withLock } from './lock.ts';
import { cacheRoot } from './modules.ts';

const run = promisify(execFile);

/** The folders beside this file that hold a lock file of npm. */
export const PACKAGE_SETS = ['google', 'cloudflare'] as const;
export type PackageSet = (typeof PACKAGE_SETS)[number];

/**
 * Packages of npm that only tests use, installed once into the cache by the lock file of a folder beside this file; npm
 * compares the hashes, and runs no script of them. Answers what loads them.
 */
export async function npmPackages(name: PackageSet): Promise<NodeJS.Require> {
  const source = join(import.meta.dirname, name);
  const lockFile = readFileSync(join(source, 'package-lock.json'));
  const folder = join(cacheRoot(), `npm-${name}-${hash('sha256', lockFile).slice(0, 12)}`);
  mkdirSync(cacheRoot(), { recursive: true });
  await withLock(`${folder}.lock`, async () => {
    if (existsSync(folder)) return;
    const work = mkdtempSync(`${folder}-unfinished-`);
    try {
      for (const file of ['package.json', 'package-lock.json']) copyFileSync(join(source, file), join(work, file));
      await run('npm', ['ci', '--ignore-scripts', '--no-audit', '--no-fund', '--silent'], { cwd: work });
      renameSync(work, folder);
    } catch (error) {
      throw new Error(`npm could not install the packages of ${source}: ${(error as Error).message}`, { cause: error });
    } finally {
      rmSync(work, { recursive: true, force: true });
    }
  });
  return createRequire(join(folder, 'package.json'));
}

import { execFile } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { withLock } from './lock.ts';
import { cacheRoot } from './modules.ts';

const run = promisify(execFile);

/**
 * The folder that holds the content of these Debian packages, unpacked once into the cache. They aren't installed: nothing
 * else on this machine changes, and no service starts. Packages that they depend on must be named too.
 */
export async function unpackDebian(...packages: readonly string[]): Promise<string> {
  const folder = join(cacheRoot(), `debian-${packages.join('-')}`);
  mkdirSync(cacheRoot(), { recursive: true });
  await withLock(`${folder}.lock`, async () => {
    if (existsSync(folder)) return;
    const work = mkdtempSync(`${folder}-unfinished-`);
    try {
      const download = () => run('apt-get', ['download', '-q', ...packages], { cwd: work });
      // On a fresh machine apt knows no package yet.
      await download().catch(() => run('apt-get', ['update', '-q']).then(download));
      for (const archive of readdirSync(work)) await run('dpkg-deb', ['-x', archive, 'root'], { cwd: work });
      renameSync(join(work, 'root'), folder);
    } catch (error) {
      throw new Error(
        `apt-get could not fetch ${packages.join(', ')}: ${(error as Error).message}\nDebian 12 with its package mirror is needed: apt-get update`,
        { cause: error },
      );
    } finally {
      rmSync(work, { recursive: true, force: true });
    }
  });
  return folder;
}

/** The variable with which programs of such a folder find the shared libraries beside them. */
export function debianLibraries(folder: string): Readonly<Record<string, string>> {
  const [triplet = ''] = readdirSync(join(folder, 'usr', 'lib')).filter((name) => name.endsWith('-linux-gnu'));
  return { LD_LIBRARY_PATH: join(folder, 'usr', 'lib', triplet) };
}

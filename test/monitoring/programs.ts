import { execFile } from 'node:child_process';
import { accessSync, constants, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';
import { withLock } from '../programs/lock.ts';
import { cacheRoot } from '../programs/modules.ts';

const run = promisify(execFile);

export interface Programs {
  readonly prometheus: string;
  readonly promtool: string;
}

/**
 * Prometheus and promtool: from the PATH, else from the cache, where Debian's package is unpacked once. It is not
 * installed: that would leave a service running on this machine.
 */
export async function prometheusPrograms(): Promise<Programs> {
  const folder = join(cacheRoot(), 'prometheus');
  const found = onPath() ?? inFolder(folder);
  if (found !== undefined) return found;
  mkdirSync(cacheRoot(), { recursive: true });
  return withLock(`${folder}.lock`, async () => {
    if (inFolder(folder) === undefined) await unpack(folder);
    const unpacked = inFolder(folder);
    if (unpacked === undefined) throw new Error(`Debian's prometheus package has no usr/bin/prometheus and promtool`);
    return unpacked;
  });
}

async function unpack(folder: string): Promise<void> {
  const work = mkdtempSync(`${folder}-unfinished-`);
  try {
    const download = () => run('apt-get', ['download', '-q', 'prometheus'], { cwd: work });
    // On a fresh machine apt knows no package yet.
    await download().catch(() => run('apt-get', ['update', '-q']).then(download));
    const [archive = ''] = readdirSync(work);
    await run('dpkg-deb', ['-x', archive, 'root'], { cwd: work });
    rmSync(folder, { recursive: true, force: true });
    renameSync(join(work, 'root'), folder);
  } catch (error) {
    throw new Error(
      `prometheus and promtool are not on the PATH and could not be fetched by apt-get: ${(error as Error).message}. Install Prometheus 2.42 or newer, or run this on Debian.`,
      { cause: error },
    );
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

function onPath(): Programs | undefined {
  const programs = (process.env.PATH ?? '').split(delimiter).map(programsIn);
  return programs.find((each) => each !== undefined);
}

function inFolder(folder: string): Programs | undefined {
  return programsIn(join(folder, 'usr', 'bin'));
}

function programsIn(folder: string): Programs | undefined {
  const programs = { prometheus: join(folder, 'prometheus'), promtool: join(folder, 'promtool') };
  try {
    for (const path of Object.values(programs)) accessSync(path, constants.X_OK);
    return programs;
  } catch {
    return undefined;
  }
}

import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { BUILD_ENVIRONMENT, cacheRoot } from '../../programs/modules.ts';

const SOURCE = join(import.meta.dirname, 'pause');

/** The path of our pause program, which is built unless that has been done. */
export async function ensurePause(): Promise<string> {
  const version = createHash('sha256')
    .update(readFileSync(join(SOURCE, 'main.go')))
    .digest('hex')
    .slice(0, 12);
  const path = join(cacheRoot(), `pause-${version}`);
  if (existsSync(path)) return path;
  mkdirSync(cacheRoot(), { recursive: true });
  const fresh = `${path}.${process.pid}`;
  const args = ['build', '-trimpath', '-buildvcs=false', '-ldflags', '-s -w', '-o', fresh, '.'];
  await promisify(execFile)('go', args, { cwd: SOURCE, env: { ...process.env, ...BUILD_ENVIRONMENT } });
  renameSync(fresh, path);
  return path;
}

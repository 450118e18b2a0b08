import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, globSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { withLock } from '../../programs/lock.ts';
import { BUILD_ENVIRONMENT, buildFlags, cacheRoot } from '../../programs/modules.ts';
import { showProgress } from '../../programs/progress.ts';

const MODULE = join(import.meta.dirname, 'programs');
const PACKAGES = [
  './go-cas',
  'filippo.io/mkcert',
  'github.com/cloudflare/cfssl/cmd/cfssl',
  'github.com/cloudflare/cfssl/cmd/cfssljson',
  'github.com/jsha/minica',
];

let built: Promise<string> | undefined;

/** The folder with cfssl, cfssljson, mkcert, minica and go-cas. Throws an Error where they can't be built. */
export function buildGoTools(): Promise<string> {
  built ??= build();
  return built;
}

async function build(): Promise<string> {
  const flags = buildFlags({ stamps: [], tags: [] });
  const folder = join(cacheRoot(), `ca-tools-${fingerprint(flags)}`);
  mkdirSync(cacheRoot(), { recursive: true });
  await withLock(`${folder}.lock`, async () => {
    if (existsSync(folder)) return;
    const work = mkdtempSync(`${folder}-unfinished-`);
    try {
      await showProgress('building cfssl, mkcert, minica, go-cas, only this once', async () => {
        const env = { ...process.env, ...BUILD_ENVIRONMENT };
        await promisify(execFile)('go', ['build', ...flags, '-o', `${work}/`, ...PACKAGES], { cwd: MODULE, env });
        return '';
      });
      renameSync(work, folder);
    } finally {
      rmSync(work, { recursive: true, force: true });
    }
  });
  return folder;
}

/** Changes with everything that goes into the programs, so that a stale build is never taken for the pinned one. */
function fingerprint(flags: readonly string[]): string {
  const hash = createHash('sha256').update(JSON.stringify([flags, PACKAGES, process.platform, process.arch]));
  for (const file of globSync('**/{go.mod,go.sum,*.go}', { cwd: MODULE }).sort())
    hash.update(`${file}\0`).update(readFileSync(join(MODULE, file)));
  return hash.digest('hex').slice(0, 12);
}

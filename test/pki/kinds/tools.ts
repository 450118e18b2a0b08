import { execFile } from 'node:child_process';
import { accessSync, constants, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { withLock } from '../../programs/lock.ts';
import { cacheRoot } from '../../programs/modules.ts';
import { ensureProgram } from '../../programs/programs.ts';
import { buildGoTools } from './go-build.ts';
import type { Tool } from './kind.ts';

/** Where a tool is, as an environment in which its name can be called; or why it can't be had. */
export type FoundTool =
  | { readonly path: readonly string[]; readonly environment?: Readonly<Record<string, string>> }
  | { readonly missing: string };

const run = promisify(execFile);

/** Finds a tool on the PATH or in the cache, into which it is built or unpacked once. */
export async function findTool(tool: Tool): Promise<FoundTool> {
  try {
    switch (tool) {
      case 'openssl':
        return onPath('openssl') ? { path: [] } : { missing: 'install openssl 3' };
      case 'keytool':
        return onPath('keytool') ? { path: [] } : { missing: 'install a JDK, such as openjdk-17-jdk-headless' };
      case 'cfssl':
      case 'mkcert':
      case 'minica':
      case 'go-cas':
        return { path: [await buildGoTools()] };
      case 'step':
      case 'vault':
        return { path: [dirname(await ensureProgram(tool))] };
      case 'certtool':
        return onPath('certtool') ? { path: [] } : await certtool();
      case 'easy-rsa':
        return await easyRsa();
    }
  } catch (error) {
    return { missing: (error as Error).message };
  }
}

async function certtool(): Promise<FoundTool> {
  // Both of one version: the program asks the library for symbols of exactly its own.
  const folder = await unpack('gnutls-bin', 'libgnutls30');
  const [library = ''] = readdirSync(join(folder, 'usr', 'lib'));
  return {
    path: [join(folder, 'usr', 'bin')],
    environment: { LD_LIBRARY_PATH: join(folder, 'usr', 'lib', library) },
  };
}

async function easyRsa(): Promise<FoundTool> {
  const folder = join(await unpack('easy-rsa'), 'usr', 'share', 'easy-rsa');
  return { path: [folder], environment: { EASYRSA: folder } };
}

/** Debian packages, unpacked and not installed: nothing else on this machine changes. */
async function unpack(...packages: readonly string[]): Promise<string> {
  const folder = join(cacheRoot(), `debian-${packages.join('-')}`);
  mkdirSync(cacheRoot(), { recursive: true });
  await withLock(`${folder}.lock`, async () => {
    if (exists(folder)) return;
    const work = mkdtempSync(`${folder}-unfinished-`);
    try {
      const download = () => run('apt-get', ['download', '-q', ...packages], { cwd: work });
      // On a fresh machine apt knows no package yet.
      await download().catch(() => run('apt-get', ['update', '-q']).then(download));
      for (const archive of readdirSync(work)) await run('dpkg-deb', ['-x', archive, 'root'], { cwd: work });
      renameSync(join(work, 'root'), folder);
    } catch (error) {
      throw new Error(`apt-get could not fetch ${packages.join(', ')}: ${(error as Error).message}`, { cause: error });
    } finally {
      rmSync(work, { recursive: true, force: true });
    }
  });
  return folder;
}

function onPath(name: string): boolean {
  return (process.env.PATH ?? '').split(delimiter).some((folder) => exists(join(folder, name)));
}

function exists(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

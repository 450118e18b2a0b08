import { accessSync, constants } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { debianLibraries, unpackDebian } from '../../programs/debian.ts';
import { ensureProgram } from '../../programs/programs.ts';
import { buildGoTools } from './go-build.ts';
import type { Tool } from './kind.ts';

/** Where a tool is, as an environment in which its name can be called; or why it can't be had. */
export type FoundTool =
  | { readonly path: readonly string[]; readonly environment?: Readonly<Record<string, string>> }
  | { readonly missing: string };

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
  const folder = await unpackDebian('gnutls-bin', 'libgnutls30');
  return { path: [join(folder, 'usr', 'bin')], environment: debianLibraries(folder) };
}

async function easyRsa(): Promise<FoundTool> {
  const folder = join(await unpackDebian('easy-rsa'), 'usr', 'share', 'easy-rsa');
  return { path: [folder], environment: { EASYRSA: folder } };
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

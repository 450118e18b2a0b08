import { accessSync, constants } from 'node:fs';
import { join } from 'node:path';
import { buildPrograms } from './build.ts';
import { cacheFolder, type ProgramName } from './recipe.ts';

export type Binaries<Name extends ProgramName = ProgramName> = Readonly<Record<Name, string>>;

/**
 * Paths of the programs: from $KUBEBUILDER_ASSETS, else from the cache; what neither holds is built into the cache.
 * Nothing is run here: a program is proven once, right after its build.
 */
export async function ensureBinaries<Name extends ProgramName>(programs: readonly Name[]): Promise<Binaries<Name>> {
  const missing = () => programs.filter((program) => findBinary(program) === undefined);
  if (missing().length > 0) {
    await buildPrograms(cacheFolder(), missing);
  }
  const found = programs.map((program) => [program, findBinary(program) ?? join(cacheFolder(), program)]);
  return Object.fromEntries(found) as Binaries<Name>;
}

function findBinary(program: ProgramName): string | undefined {
  const { KUBEBUILDER_ASSETS: assets } = process.env;
  const folders = assets ? [assets, cacheFolder()] : [cacheFolder()];
  return folders.map((folder) => join(folder, program)).find(isExecutable);
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

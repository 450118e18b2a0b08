import { accessSync, constants } from 'node:fs';
import { join } from 'node:path';
import { buildPrograms } from './build.ts';
import type { GoModule } from './go-module.ts';
import { controlPlane, type ProgramName } from './recipe.ts';

export type Binaries<Name extends ProgramName = ProgramName> = Readonly<Record<Name, string>>;

/** Paths of programs of the control plane. */
export function ensureBinaries<Name extends ProgramName>(programs: readonly Name[]): Promise<Binaries<Name>> {
  return ensurePrograms(controlPlane, programs);
}

/**
 * Paths of the programs: from $KUBEBUILDER_ASSETS, else from the cache; what neither holds is built into the cache.
 * Nothing is run here: a program is proven once, right after its build.
 */
export async function ensurePrograms<All extends string, Name extends All>(
  module: GoModule<All>,
  programs: readonly Name[],
): Promise<Readonly<Record<Name, string>>> {
  const missing = () => programs.filter((program) => findBinary(program, module) === undefined);
  if (missing().length > 0) {
    await buildPrograms(module, missing);
  }
  const found = programs.map((program) => [program, findBinary(program, module) ?? join(module.cacheFolder, program)]);
  return Object.fromEntries(found) as Readonly<Record<Name, string>>;
}

function findBinary(program: string, { cacheFolder }: GoModule<string>): string | undefined {
  const { KUBEBUILDER_ASSETS: assets } = process.env;
  const folders = assets ? [assets, cacheFolder] : [cacheFolder];
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

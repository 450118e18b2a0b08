import { accessSync, constants } from 'node:fs';
import { join } from 'node:path';
import { buildPrograms } from './build.ts';
import { CATALOG, MODULES, type ModuleName, type ProgramName } from './catalog.ts';
import { moduleCache } from './modules.ts';

export type Paths<Name extends ProgramName = ProgramName> = Readonly<Record<Name, string>>;

/**
 * Paths of the programs: from $KUBEBUILDER_ASSETS, else from the cache; what neither holds is built into the cache, the
 * programs of one module together. Nothing is run here: a program is proven once, right after its build.
 */
export async function ensurePrograms<Name extends ProgramName>(names: readonly Name[]): Promise<Paths<Name>> {
  const byModule = Object.groupBy(names, (name) => CATALOG[name].module);
  for (const [module, programs = []] of Object.entries(byModule) as [ModuleName, Name[]][]) {
    const missing = () => programs.filter((name) => findProgram(name) === undefined);
    if (missing().length > 0) await buildPrograms(module, missing);
  }
  return Object.fromEntries(names.map((name) => [name, findProgram(name) ?? cached(name)])) as Paths<Name>;
}

/** The path of one program. */
export async function ensureProgram(name: ProgramName): Promise<string> {
  return (await ensurePrograms([name]))[name];
}

function findProgram(name: ProgramName): string | undefined {
  const { KUBEBUILDER_ASSETS: assets } = process.env;
  return [...(assets ? [join(assets, name)] : []), cached(name)].find(isExecutable);
}

function cached(name: ProgramName): string {
  const { module } = CATALOG[name];
  return join(moduleCache(module, MODULES[module]), name);
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

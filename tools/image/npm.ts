import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Metafile } from 'esbuild';

/** A package of npm of which at least one byte is in the bundle. */
export interface NpmPackage {
  readonly name: string;
  readonly version: string;
  /** As its package.json states it. */
  readonly license: string;
  readonly licenseTexts: readonly string[];
  /** Of the archive in the registry, `sha512-…`, from the lock file. */
  readonly integrity: string | undefined;
  /** Where it lies, from the root of the repository. */
  readonly folder: string;
  /** Folders of the packages that it imports. */
  readonly imports: readonly string[];
}

/** Sorted by folder. */
export function bundledPackages(root: string, metafile: Metafile): NpmPackage[] {
  const inputs = Object.values(metafile.outputs).flatMap((output) =>
    Object.entries(output.inputs).flatMap(([path, { bytesInOutput }]) => (bytesInOutput > 0 ? [path] : [])),
  );
  const imports = new Map<string, Set<string>>();
  for (const path of inputs) {
    const from = packageFolder(path);
    if (from === undefined) continue;
    const found = imports.get(from) ?? new Set();
    imports.set(from, found);
    for (const { path: imported } of metafile.inputs[path]?.imports ?? []) {
      const to = packageFolder(imported);
      if (to !== undefined && to !== from) found.add(to);
    }
  }
  const locked = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')).packages;
  return [...imports.keys()].sort().map((folder) => ({
    ...describe(root, folder),
    integrity: locked[folder]?.integrity,
    // An import of which nothing was left is no dependency.
    imports: [...(imports.get(folder) ?? [])].filter((each) => imports.has(each)).sort(),
  }));
}

/** The folder of the package that a file belongs to, the innermost where they are nested. */
export function packageFolder(path: string): string | undefined {
  return /^(?:.*\/)?node_modules\/(?:@[^/]+\/)?[^/]+/.exec(path)?.[0];
}

function describe(root: string, folder: string) {
  const { name, version, license } = JSON.parse(readFileSync(join(root, folder, 'package.json'), 'utf8'));
  if (typeof license !== 'string')
    throw new Error(`${folder}/package.json states no licence; find it out before it is shipped`);
  const names = readdirSync(join(root, folder)).filter((each) => /^(licen[cs]e|notice|copying)/i.test(each));
  const licenseTexts = names.sort().map((each) => readFileSync(join(root, folder, each), 'utf8'));
  return { name: String(name), version: String(version), license, licenseTexts, folder };
}

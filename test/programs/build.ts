import { execFile, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync, statSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { text } from 'node:stream/consumers';
import { promisify } from 'node:util';
import { type Guard, startGuard } from '../cluster/guard.ts';
import { isRunning } from '../cluster/process-identity.ts';
import { CATALOG, MODULES, type ModuleName, type ProgramName } from './catalog.ts';
import { withLock } from './lock.ts';
import { BUILD_ENVIRONMENT, buildFlags, moduleCache, moduleFolder } from './modules.ts';
import { showProgress } from './progress.ts';

const workFolderPattern = /^unfinished-(\d+)-/;

/**
 * Builds programs of one module by one `go build`, which compiles what they share once and links them side by side.
 * `missing` is asked again once we hold the lock: another process may have built meanwhile.
 */
export async function buildPrograms(module: ModuleName, missing: () => readonly ProgramName[]): Promise<void> {
  const folder = moduleCache(module, MODULES[module]);
  mkdirSync(folder, { recursive: true });
  await withLock(join(folder, 'build.lock'), async () => {
    const programs = missing();
    if (programs.length === 0) return;
    requireGo(programs);
    removeUnfinished(folder);
    const workFolder = mkdtempSync(join(folder, `unfinished-${process.pid}-`));
    const guard = startGuard(workFolder, { removeFolder: true });
    try {
      await showProgress(`building ${programs.join(', ')}, only this once`, async () => {
        await buildAll(guard, module, programs, workFolder);
        await Promise.all(programs.map((name) => prove(name, join(workFolder, outputOf(name)))));
        const sizes = programs.map((name) => `${name} ${publish(name, workFolder, folder)} MB`);
        return `: ${sizes.join(', ')}`;
      });
    } finally {
      await guard.close();
      rmSync(workFolder, { recursive: true, force: true });
    }
  });
}

async function buildAll(
  guard: Guard,
  module: ModuleName,
  programs: readonly ProgramName[],
  workFolder: string,
): Promise<void> {
  const packages = programs.map((name) => CATALOG[name].package);
  const run = guard.run('go', 'go', ['build', ...buildFlags(MODULES[module]), '-o', `${workFolder}/`, ...packages], {
    folder: moduleFolder(module),
    // A killed go leaves its temporary files behind; here they are removed together with the folder.
    environment: { ...BUILD_ENVIRONMENT, GOTMPDIR: workFolder },
  });
  const [output, complaint, { code, signal }] = await Promise.all([
    run.stdout ? text(run.stdout) : '',
    run.stderr ? text(run.stderr) : '',
    run.ended,
  ]);
  if (code === 0) return;
  const lines = `${output}${complaint}`.trimEnd().split('\n').slice(-20).join('\n  ');
  const how = signal ?? `exit code ${code}`;
  throw new Error(`Building ${programs.join(', ')} in ${moduleFolder(module)} failed (go: ${how}):\n  ${lines}`);
}

async function prove(name: ProgramName, path: string): Promise<void> {
  await promisify(execFile)(path, [...CATALOG[name].versionArguments]).catch((error: Error) => {
    throw new Error(`${name} was built but does not run: ${error.message}`, { cause: error });
  });
}

/** Gives a whole program that runs its name in the cache; answers its megabytes. */
function publish(name: ProgramName, workFolder: string, folder: string): number {
  const fresh = join(workFolder, outputOf(name));
  const megabytes = Math.round(statSync(fresh).size / 1e6);
  renameSync(fresh, join(folder, name));
  return megabytes;
}

/** go names a program after its package, or after the module at whose top it is, and passes over the major version at the end of a path. */
function outputOf(name: ProgramName): string {
  const path = CATALOG[name].package;
  if (path === '.') return CATALOG[name].module;
  return basename(/\/v\d+$/.test(path) ? dirname(path) : path);
}

export function hasGo(): boolean {
  return spawnSync('go', ['version']).error === undefined;
}

function requireGo(programs: readonly ProgramName[]): void {
  if (hasGo()) return;
  const names = programs.join(', ');
  throw new Error(
    `To build ${names}, Go is needed, and there is no \`go\` on the PATH: install Go 1.26 or newer, or set KUBEBUILDER_ASSETS to a folder that holds ${names}.`,
  );
}

function removeUnfinished(folder: string): void {
  for (const file of readdirSync(folder)) {
    const builder = workFolderPattern.exec(file)?.[1];
    if (builder !== undefined && !isRunning(Number(builder))) {
      rmSync(join(folder, file), { recursive: true, force: true });
    }
  }
}

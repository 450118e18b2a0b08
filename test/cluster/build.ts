import { execFile, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { promisify } from 'node:util';
import type { GoModule } from './go-module.ts';
import { type Guard, startGuard } from './guard.ts';
import { withLock } from './lock.ts';
import { isRunning } from './process-identity.ts';
import { showProgress } from './progress.ts';

const workFolderPattern = /^unfinished-(\d+)-/;

/** `missing` is asked again once we hold the lock: another process may have built meanwhile. */
export async function buildPrograms<Name extends string>(
  module: GoModule<Name>,
  missing: () => readonly Name[],
): Promise<void> {
  const folder = module.cacheFolder;
  mkdirSync(folder, { recursive: true });
  await withLock(join(folder, 'build.lock'), async () => {
    const programs = missing();
    if (programs.length === 0) {
      return;
    }
    requireGo(module);
    removeUnfinished(folder);
    process.stderr.write(`building ${module.title} into ${folder} (only this once: ${module.duration})\n`);
    const workFolder = mkdtempSync(join(folder, `unfinished-${process.pid}-`));
    const guard = startGuard(workFolder, { removeFolder: true });
    try {
      for (const [index, program] of programs.entries()) {
        const title = `  ${index + 1} of ${programs.length} ${program}`;
        await showProgress(title, () => buildProgram(guard, module, program, workFolder));
      }
    } finally {
      await guard.close();
      rmSync(workFolder, { recursive: true, force: true });
    }
  });
}

async function buildProgram<Name extends string>(
  guard: Guard,
  module: GoModule<Name>,
  program: Name,
  workFolder: string,
): Promise<string> {
  const fresh = join(workFolder, program);
  const run = guard.run('go', 'go', module.buildArguments(program, fresh), {
    folder: module.folder,
    // A killed go leaves its temporary files behind; here they are removed together with the folder.
    environment: { ...module.environment, GOTMPDIR: workFolder },
  });
  const [output, complaint, { code, signal }] = await Promise.all([
    run.stdout ? text(run.stdout) : '',
    run.stderr ? text(run.stderr) : '',
    run.ended,
  ]);
  if (code !== 0) {
    const lines = `${output}${complaint}`.trimEnd().split('\n').slice(-20).join('\n  ');
    throw new Error(
      `Building ${program} in ${module.folder} failed (go: ${signal ?? `exit code ${code}`}):\n  ${lines}`,
    );
  }
  await promisify(execFile)(fresh, [...module.versionArguments(program)]).catch((error: Error) => {
    throw new Error(`${program} was built but does not run: ${error.message}`, { cause: error });
  });
  const megabytes = Math.round(statSync(fresh).size / 1e6);
  // Only now does it get its name: whoever sees it sees a whole program that runs.
  renameSync(fresh, join(module.cacheFolder, program));
  return `, ${megabytes} MB`;
}

function requireGo({ title, otherwise }: GoModule<string>): void {
  const { error } = spawnSync('go', ['version']);
  if (error !== undefined) {
    throw new Error(
      `To build ${title}, Go is needed, and there is no \`go\` on the PATH: install Go 1.26 or newer, ${otherwise}.`,
    );
  }
}

function removeUnfinished(folder: string): void {
  for (const file of readdirSync(folder)) {
    const builder = workFolderPattern.exec(file)?.[1];
    if (builder !== undefined && !isRunning(Number(builder))) {
      rmSync(join(folder, file), { recursive: true, force: true });
    }
  }
}

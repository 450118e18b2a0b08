/**
 * Builds the programs that are named, unless that has been done, and prints their paths; `--download` fetches the
 * sources of all modules that tests need instead, which takes the network and hardly any processor.
 */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { hasGo } from './build.ts';
import { CATALOG, MODULES, type ProgramName } from './catalog.ts';
import { BUILD_ENVIRONMENT, moduleFolder } from './modules.ts';
import { ensurePrograms } from './programs.ts';

const usage = `usage: node test/programs/main.ts --download | PROGRAM...
programs: ${Object.keys(CATALOG).join(', ')}`;

async function main(args: readonly string[]): Promise<void> {
  if (args[0] === '--download') return download();
  if (args.length === 0 || !args.every(isProgram)) throw new Error(usage);
  for (const path of Object.values(await ensurePrograms(args))) console.log(path);
}

function isProgram(name: string): name is ProgramName {
  return Object.hasOwn(CATALOG, name);
}

async function download(): Promise<void> {
  if (!hasGo()) {
    console.error(
      'There is no `go` on the PATH: nothing can be built, and programs come from KUBEBUILDER_ASSETS alone.',
    );
    return;
  }
  const env = { ...process.env, ...BUILD_ENVIRONMENT };
  const wanted = Object.entries(MODULES).filter(([, { isForBenches }]) => isForBenches === undefined);
  await Promise.all(
    wanted.map(([name]) =>
      promisify(execFile)('go', ['mod', 'download'], { cwd: moduleFolder(name), env, maxBuffer: 64 * 1024 * 1024 }),
    ),
  );
}

main(process.argv.slice(2)).catch((error: Error) => {
  console.error(error.message);
  process.exitCode = 1;
});

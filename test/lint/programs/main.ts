/** Builds all programs of this folder, unless that has been done: `node test/lint/programs/main.ts`. */
import { ensureLintProgram, LINT_PROGRAMS } from './build.ts';

try {
  for (const name of LINT_PROGRAMS) console.log((await ensureLintProgram(name)).join(' '));
} catch (error) {
  console.error((error as Error).message);
  process.exitCode = 1;
}

/** Builds the readers of key stores unless that has been done, and prints their versions. */
import { ensureReaders } from './build.ts';

try {
  for (const { name } of await ensureReaders()) console.log(name);
} catch (error) {
  console.error((error as Error).message);
  process.exitCode = 1;
}

/** Builds the judges that are named, or all of them, unless that has been done: `node test/pki/verifiers/main.ts java`. */
import { ensureJudge, JUDGES, type JudgeName } from './build.ts';

const names = process.argv.slice(2);
const unknown = names.find((name) => !(JUDGES as readonly string[]).includes(name));
if (unknown !== undefined) {
  console.error(`There is no judge ${unknown}; there are ${JUDGES.join(', ')}.`);
  process.exit(1);
}
try {
  for (const name of names.length > 0 ? (names as JudgeName[]) : JUDGES)
    console.log((await ensureJudge(name)).join(' '));
} catch (error) {
  console.error((error as Error).message);
  process.exitCode = 1;
}

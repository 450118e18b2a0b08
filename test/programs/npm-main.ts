/** Installs packages of npm that only tests use: `node test/programs/npm-main.ts google`. */
import { npmPackages, PACKAGE_SETS } from './npm.ts';

const [name] = process.argv.slice(2);
const found = PACKAGE_SETS.find((each) => each === name);
if (found === undefined) throw new Error(`usage: node test/programs/npm-main.ts ${PACKAGE_SETS.join('|')}`);
await npmPackages(found);

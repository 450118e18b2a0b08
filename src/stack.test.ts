import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { bundle } from '../tools/bundle.ts';
import { stackOf } from './stack.ts';

const folder = mkdtempSync(join(tmpdir(), 'certwheel-stack-'));
test.after(() => rmSync(folder, { recursive: true, force: true }));

const PROGRAM = `import { parseDuration } from '${import.meta.dirname}/api/duration.ts';
import { stackOf } from '${import.meta.dirname}/stack.ts';

class Wheel {
  turn(): never {
    throw new Error('stuck');
  }
}

const stacks = [0, 1].map(() => {
  try {
    return new Wheel().turn();
  } catch (error) {
    return stackOf(error);
  }
});
console.log(JSON.stringify({ stacks, none: parseDuration('1m') }));
`;

async function run(): Promise<string[]> {
  writeFileSync(join(folder, 'wheel.ts'), PROGRAM);
  await bundle(join(folder, 'wheel.ts'), join(folder, 'wheel.mjs'));
  const run = () =>
    JSON.parse(execFileSync(process.execPath, [join(folder, 'wheel.mjs')], { encoding: 'utf8' })).stacks;
  const mapped = run();
  rmSync(join(folder, 'wheel.mjs.map'));
  return [...mapped, ...run()];
}

test('a stack of the bundle names the places in the sources, each time; without the map, those in the bundle', async () => {
  const [first = '', second, unmapped = ''] = await run();
  assert.match(first, /^Error: stuck\n {4}at Wheel\.turn \([^:]*wheel\.ts:6:11\)\n/);
  assert.not.match(first, 'wheel.mjs');
  assert.is(second, first);
  assert.match(unmapped, /at Wheel\.turn \(file:\/\/\/.*wheel\.mjs:\d+:\d+\)/);
});

const LATER = `export function turn(): never {
  throw new Error('stuck later');
}
`;
const LOADS = `import { stackOf } from '${import.meta.dirname}/stack.ts';

const { turn } = await import('./later.ts');
try {
  turn();
} catch (error) {
  console.log(stackOf(error));
}
`;

test('a stack that passes through files of the bundle which were loaded later names the sources of each', async () => {
  writeFileSync(join(folder, 'later.ts'), LATER);
  writeFileSync(join(folder, 'loads.ts'), LOADS);
  await bundle(join(folder, 'loads.ts'), join(folder, 'out/loads.mjs'));
  const stack = execFileSync(process.execPath, [join(folder, 'out/loads.mjs')], { encoding: 'utf8' });
  assert.match(stack, /^Error: stuck later\n {4}at turn \([^:]*later\.ts:2:9\)\n {4}at [^:]*loads\.ts:5:3\n/);
});

test('a stack of the sources stays as it is', () => {
  const error = new Error('here');
  assert.is(stackOf(error), error.stack);
});

test('whatever is thrown has a text', () => {
  assert.is(stackOf('a string'), 'a string');
  assert.is(stackOf(Object.create(null)), 'a thrown object');
  const bare = new Error('no stack');
  delete bare.stack;
  assert.is(stackOf(bare), 'no stack');
});

test.run();

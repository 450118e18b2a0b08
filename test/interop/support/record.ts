import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { writeFailuresPage } from './failures-page.ts';
import { writePage } from './page.ts';
import { type Results, readResults, writeResults } from './results.ts';

/** The last test of a program: a long run writes what it has seen, a short one compares it with what was written. */
export function recordResults(results: Results, long: boolean): void {
  const { name, title } = results;
  test(`${title}: ${long ? 'the results are written' : 'what was seen is what docs/interop.md says'}`, () => {
    if (long) {
      writeResults(results);
      writePage();
      writeFailuresPage();
      return;
    }
    const known = readResults(name);
    assert.ok(
      known,
      `there are no results of ${name}; write them with: node test/run.ts test/interop/${name}.long.test.ts`,
    );
    for (const part of ['cells', 'refuses', 'rotations', 'peers'] as const)
      for (const [what, seen] of Object.entries(results[part] ?? {})) assert.is(seen, known[part]?.[what], what);
  });
}

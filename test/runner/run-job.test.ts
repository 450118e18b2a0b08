import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { judge } from './run-job.ts';

const said = (total: number, passed: number, skipped = 0) =>
  `  Total:     ${total}\n  Passed:    ${passed}\n  Skipped:   ${skipped}\n  Duration:  1.00ms\n`;

const TABLE: readonly [what: string, output: string, exitedWell: boolean, expected: [number, number, number]][] = [
  ['all passed', said(3, 3), true, [3, 0, 0]],
  ['one failed', said(3, 2), false, [2, 1, 0]],
  ['some were skipped', said(2, 2, 4), true, [2, 0, 4]],
  ['all were skipped', said(0, 0, 1), true, [0, 0, 1]],
  ['no test ran', said(0, 0), true, [0, 1, 0]],
  ['nothing was said', '', true, [0, 1, 0]],
  ['it fell over after its tests', said(3, 3), false, [3, 1, 0]],
  ['a test printed such a word itself', `it said Total: 9\n${said(1, 1)}`, true, [1, 0, 0]],
];

for (const [what, output, exitedWell, [passed, failed, skipped]] of TABLE) {
  test(`a file is judged by what it says it ran: ${what}`, () => {
    assert.equal(judge(output, exitedWell), { passed, failed, skipped });
  });
}

test.run();

import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { AUDIT_EVENTS } from '../../src/audit/event.ts';
import { shellBlocks } from '../e2e/support/page.ts';

const ROOT = join(import.meta.dirname, '../..');
const read = (path: string) => readFileSync(join(ROOT, path), 'utf8');
const page = read('docs/compliance.md');

/** As GitHub makes them. */
function anchorOf(heading: string): string {
  return heading
    .toLowerCase()
    .replaceAll(/[^\w\- ]/g, '')
    .replaceAll(' ', '-');
}

const EVIDENCE = [...page.matchAll(/^### (E\d+ .+)$/gm)].map(([, heading = '']) => heading);
const CONTROLS = [
  ...page.matchAll(/^\| (?!control|requirement|standard|paragraph|criterion|section|part|---)(.+) \|$/gm),
]
  .map(([, row = '']) => row.split(' | '))
  .filter((cells) => cells.length === 4);

test('each link to evidence leads to its heading, and each kind of evidence is named by a control', () => {
  const linked = [...page.matchAll(/\[(E\d+)\]\(#([\w-]+)\)/g)].map(([, name, anchor]) => `${name} ${anchor}`);
  const there = EVIDENCE.map((heading) => `${heading.split(' ')[0]} ${anchorOf(heading)}`);
  assert.equal([...new Set(linked)].sort(), there.sort());
});

test('each control says what it contributes, how that is shown, and what is not covered', () => {
  assert.ok(CONTROLS.length >= 30, `${CONTROLS.length} controls`);
  for (const cells of CONTROLS)
    for (const cell of cells) assert.ok(cell.trim().length > 3, `an empty cell in ${cells.join(' | ')}`);
});

for (const path of ['docs/compliance.md', 'docs/audit.md'])
  test(`${path}: bash can read each block of commands`, () => {
    for (const block of shellBlocks(path)) {
      const { status, stderr } = spawnSync('bash', ['-n'], { input: block, encoding: 'utf8' });
      assert.is(status, 0, `${block}\n${stderr}`);
    }
  });

test('docs/audit.md lists every kind of line', () => {
  const table = read('docs/audit.md').split('| event | when |')[1]?.split('\n\n')[0] ?? '';
  const listed = [...table.matchAll(/^\| ([^|]+) \|/gm)].flatMap(([, cell = '']) => cell.match(/\w+/g) ?? []);
  assert.equal(listed.sort(), [...AUDIT_EVENTS].sort());
});

test.run();

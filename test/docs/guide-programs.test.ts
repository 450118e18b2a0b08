/** The guides of programs without a configuration file: their code, their log lines and messages are those of the tests. */
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';

const ROOT = join(import.meta.dirname, '../..');
const read = (path: string) => readFileSync(join(ROOT, path), 'utf8');

/** A comment with the path of a program, and the code block after it, which is a part of the program. */
const PART = /^<!-- part of (\S+) -->\n```\w*\n([\s\S]*?\n)```$/gm;

test('the parts of programs that a guide shows are in these programs', () => {
  let parts = 0;
  for (const guide of globSync('docs/guides/*.md', { cwd: ROOT })) {
    const shown = [...read(guide).matchAll(PART)];
    assert.is(shown.length, [...read(guide).matchAll(/^<!-- part of /gm)].length, guide);
    for (const [, path = '', text = ''] of shown) assert.ok(read(path).includes(text), `${guide}: ${path}:\n${text}`);
    parts += shown.length;
  }
  assert.ok(parts > 0);
});

test.run();

import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { failuresPage } from '../interop/support/failures-page.ts';

const ROOT = join(import.meta.dirname, '../..');
const read = (path: string) => readFileSync(join(ROOT, path), 'utf8');
const GUIDES = globSync('docs/guides/*.md', { cwd: ROOT }).filter((path) => !path.endsWith('README.md'));

/** A comment with the path of a file that the tests run, and the code block after it. */
const SHOWN = /^<!-- (test\/(?:programs\/)?interop\/\S+) -->\n```\w*\n([\s\S]*?)^```$/gm;

test('a guide shows the configuration that the tests run, unchanged', () => {
  for (const guide of GUIDES) {
    const shown = [...read(guide).matchAll(SHOWN)];
    for (const [, path = '', text] of shown)
      assert.fixture(`${text?.trimEnd()}\n`, `${read(path).trimEnd()}\n`, `${guide}: ${path}`);
    assert.is(shown.length, [...read(guide).matchAll(/^<!-- test\//gm)].length, guide);
  }
});

test('every configuration is shown in a guide', () => {
  const text = GUIDES.map(read).join('');
  for (const file of globSync('test/interop/conf/*/*', { cwd: ROOT }))
    assert.ok(text.includes(`<!-- ${file} -->`), file);
});

test('the list of guides names each of them', () => {
  const list = read('docs/guides/README.md');
  for (const guide of GUIDES) assert.ok(list.includes(`(${guide.replace('docs/guides/', '')})`), guide);
});

test('docs/guides/failures.md says what the long runs have seen', () => {
  assert.fixture(read('docs/guides/failures.md'), failuresPage());
});

test.run();

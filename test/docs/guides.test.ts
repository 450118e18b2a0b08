import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { failuresPage } from '../interop/support/failures-page.ts';

const ROOT = join(import.meta.dirname, '../..');
const read = (path: string) => readFileSync(join(ROOT, path), 'utf8');

/** A comment with the path of a file, and the block of code that must be that file. */
const FILES = /<!-- file: (\S+) -->\n```\w*\n(.*?)```\n/gs;

test('the configuration of each guide is the one that the tests run', () => {
  let files = 0;
  for (const guide of globSync('docs/guides/*.md', { cwd: ROOT }))
    for (const [, path = '', block = ''] of read(guide).matchAll(FILES)) {
      assert.fixture(block, read(path), `${guide}: ${path}`);
      files++;
    }
  assert.ok(files >= 10, `${files} files`);
});

test('docs/guides/failures.md says what the long runs have seen', () => {
  assert.fixture(read('docs/guides/failures.md'), failuresPage());
});

test.run();

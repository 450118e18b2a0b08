import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';

const ROOT = join(import.meta.dirname, '../..');
const SCRIPT = 'test/revocation/conf/fetch-lists.sh';

test('docs/revocation.md shows the script that the tests run, unchanged', () => {
  const page = readFileSync(join(ROOT, 'docs/revocation.md'), 'utf8');
  const [, shown = ''] = page.split(`<!-- ${SCRIPT} -->\n\`\`\`sh\n`);
  assert.fixture(shown.slice(0, shown.indexOf('```')), readFileSync(join(ROOT, SCRIPT), 'utf8'));
});

test.run();

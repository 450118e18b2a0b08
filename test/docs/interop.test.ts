import { readFileSync } from 'node:fs';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { allResults, PAGE, pageOf } from '../interop/support/page.ts';

test('docs/interop.md says what the long runs have seen', () => {
  assert.fixture(readFileSync(PAGE, 'utf8'), pageOf(allResults()));
});

test.run();

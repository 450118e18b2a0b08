import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { compareVersions } from './object.ts';

test('versions are ordered as numbers, also beyond what a double holds', () => {
  assert.ok(compareVersions('9', '10') < 0);
  assert.ok(compareVersions('100', '99') > 0);
  assert.is(compareVersions('42', '42'), 0);
  assert.ok(compareVersions('90071992547409931', '90071992547409930') > 0);
});

test.run();

/** The table of patterns in docs/policy.md says what the matcher does. */
import { globSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { NAME_FIELDS, type NameField } from '../../src/api/issuance-policy.ts';
import { comparedValue, readPattern } from '../../src/policy/names.ts';

const PAGE = readFileSync(join(import.meta.dirname, '../../docs/policy.md'), 'utf8');
const FILL = { namespace: 'shop', name: 'web', labels: new Map([['example.com/team', 'payments']]) };
const ROWS = [...PAGE.matchAll(/^\| `([\w.]+): ([^`]+)` \| (.+) \| (.+) \|$/gm)];

function fits(field: NameField, pattern: string, value: string): boolean {
  const { only, matches } = readPattern(field, pattern);
  const compared = comparedValue(field, value);
  return only === undefined ? matches(compared, FILL) : only === compared.text;
}

const values = (cell: string) => [...cell.matchAll(/`([^`]+)`/g)].map(([, value = '']) => value);

for (const [, field = '', pattern = '', allowed = '', denied = ''] of ROWS)
  test(`policy.md says what ${field}: ${pattern} allows`, () => {
    for (const value of values(allowed)) assert.ok(fits(field as NameField, pattern, value), value);
    for (const value of values(denied)) assert.not(fits(field as NameField, pattern, value), value);
    assert.ok(values(allowed).length > 0 || allowed === '(nothing)', allowed);
    assert.ok(values(denied).length > 0);
  });

/** What a pattern in pages, examples and descriptions of fields may not teach: a character of namespace names beside one. */
const AMBIGUOUS = /[-a-z0-9*]\{namespace\}|\{namespace\}[-a-z0-9*]/;

test('no pattern that is shown gives one name to two namespaces', () => {
  const root = join(import.meta.dirname, '../..');
  const files = ['docs', 'examples', 'crds'].flatMap((folder) =>
    globSync(`${folder}/**/*.{md,yaml}`, { cwd: root }).filter((file) => statSync(join(root, file)).isFile()),
  );
  assert.ok(files.length > 20, String(files.length));
  for (const file of files) assert.is(AMBIGUOUS.exec(readFileSync(join(root, file), 'utf8'))?.[0], undefined, file);
});

test('the table has a row for each form of name, and for each placeholder', () => {
  const forms = new Set(ROWS.map(([, field = '']) => field.split('.')[0]));
  assert.equal([...forms].sort(), [...new Set(NAME_FIELDS.map((field) => field.split('.')[0]))].sort());
  for (const part of ['[*]', '{namespace}', '{name}', '{namespace.labels['])
    assert.ok(
      ROWS.some(([, , pattern = '']) => pattern.includes(part)),
      part,
    );
});

test.run();

import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { aliasProblem, checkKeyEntry, checkTrusted, trustAlias } from './entries.ts';

test('an alias is of characters up to U+FFFF that are not control characters', () => {
  for (const alias of ['certificate', 'Größe 世界', ' ', 'a'.repeat(256)]) assert.is(aliasProblem(alias), undefined);
  const cases: readonly (readonly [string, RegExp])[] = [
    ['', /empty/],
    ['a'.repeat(257), /257 characters; at most 256/],
    ['\u{1f600}', /above U\+FFFF/],
    ['\ud800', /above U\+FFFF/],
    ['a\0', /control character/],
    ['a\n', /control character/],
    ['\x85', /control character/],
  ];
  for (const [alias, message] of cases) assert.match(aliasProblem(alias) ?? '', message);
});

test('a key store and a trust store need a certificate', () => {
  const entry = { privateKeyPkcs8: Buffer.alloc(1), chain: [], alias: 'a' };
  assert.throws(() => checkKeyEntry(entry), /without a certificate/);
  assert.throws(() => checkKeyEntry({ ...entry, alias: '' }), /alias is empty/);
  assert.throws(() => checkTrusted([]), /without a certificate/);
});

test('no two certificates of a trust store have one alias', () => {
  assert.equal([0, 1, 2, 10].map(trustAlias), ['ca', 'ca-1', 'ca-2', 'ca-10']);
});

test.run();

import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { cut, oneLine, readable, withoutSecrets } from './foreign-text.ts';

const SECRET = '0b7e0a3c-7c57-4b2f-9d55-6f1a1f5f0c11';

test('a known secret is never shown, wherever it stands, and no part of it', () => {
  // What is cut out before it would otherwise have it cut in two, with all but its end left.
  for (let before = 4_040; before < 4_100; before++) {
    const shown = withoutSecrets(`${'A'.repeat(before)} ${SECRET} and more`, [SECRET]);
    assert.not.match(shown, SECRET.slice(0, 8));
  }
  assert.is(withoutSecrets(`id ${SECRET}, again ${SECRET}`, [SECRET, '']), 'id […], again […]');
  assert.is(withoutSecrets('hidden 0b7e\u200b0a3c', ['0b7e0a3c']), 'hidden […]');
});

test('what looks like a key or a token is not shown either', () => {
  assert.is(withoutSecrets(`token ${Buffer.alloc(60, 7).toString('base64')}!`), 'token […]!');
});

test('it is one line, of a bounded length, that no terminal obeys', () => {
  assert.is(oneLine(' a\r\n\tb\u001b[31mc\u0007\u2028d\u202e \u0000'), 'a b [31mc d');
  assert.ok(withoutSecrets('é '.repeat(100_000)).length <= 1_024);
  assert.is(oneLine('größer als 日本'), 'größer als 日本');
});

test('a text is cut in no character', () => {
  const text = 'a\u{1f511}b';
  assert.equal(
    [0, 1, 2, 3, 4, 5].map((most) => cut(text, most)),
    ['', 'a', 'a', 'a\u{1f511}', text, text],
  );
  assert.ok(withoutSecrets('\u{1f511} '.repeat(1_000)).isWellFormed());
  assert.ok(withoutSecrets(`x${'\u{1f511} '.repeat(1_000)}`).isWellFormed());
});

test('foreign text on one line has no half of a surrogate pair and no noncharacter', () => {
  assert.is(oneLine('a\ud83d\ufffe\uffff\ufdd0b\u{1f511}'), 'ab\u{1f511}');
});

test('a sentence shows what is invisible in it, and shows the same when it is shown again', () => {
  const text = 'größer\n\x7f\x85\u2028\u202e\ufeff\ufffe\ud83d \u{1f511}';
  const shown = 'größer\\u{a}\\u{7f}\\u{85}\\u{2028}\\u{202e}\\u{feff}\\u{fffe}\\u{d83d} \u{1f511}';
  assert.is(readable(text, 1_000), shown);
  assert.is(readable(shown, 1_000), shown);
  assert.is(readable(text, 8), 'größer\\u');
});

test.run();

import fc from 'fast-check';
import { load } from 'js-yaml';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { portableJson } from './json-text.ts';

const anyText = fc.string({ unit: 'binary', maxLength: 40 });
/** With halves of surrogate pairs, backslashes and the characters around them close together. */
const roughText = fc
  .array(
    fc.constantFrom(
      ...['\\', '\\ud800', '"', 'u', 'd800', '\ud83d', '\udd11', '\ud83d\udd11', '\n', '\0', ' ', 'é', '日'],
      ...['\x7f', '\x80', '\x85', '\x9f', '\u2028', '\u2029', '\u202e', '\ufeff', '\ufffd', '\ufffe', '\uffff'],
    ),
    { maxLength: 12 },
  )
  .map((pieces) => pieces.join(''));

test('a JSON reader gets every string back, with U+FFFD for half of a surrogate pair', () => {
  fc.assert(
    fc.property(fc.oneof(anyText, roughText), (text) => {
      const body = portableJson(JSON.stringify({ text, [`key ${text}`]: 1 }));
      const read = text.toWellFormed();
      assert.equal(JSON.parse(body), { text: read, [`key ${read}`]: 1 });
    }),
  );
});

test('a YAML reader gets the same', () => {
  fc.assert(
    fc.property(fc.oneof(anyText, roughText), (text) => {
      assert.equal(load(portableJson(JSON.stringify({ text }))), { text: text.toWellFormed() });
    }),
  );
});

test('nothing is left that YAML refuses or alters, or that a terminal obeys', () => {
  fc.assert(
    fc.property(fc.oneof(anyText, roughText), (text) => {
      const body = portableJson(JSON.stringify(text));
      assert.not.match(body, /[\p{Cc}\p{Zl}\p{Zp}\p{Cs}\ufeff\ufffe\uffff]/u);
      assert.not.match(body.replaceAll('\\\\', ''), /\\u[dD][89a-fA-F]/);
    }),
  );
});

test('ordinary text is sent as it is', () => {
  for (const text of ['größer als 日本', '\u{1f511}', 'C:\\ud83d', 'plain'])
    assert.is(portableJson(JSON.stringify(text)), JSON.stringify(text));
});

test.run();

import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { visible, withoutSecrets } from './foreign-text.ts';

test('what others say stands on one line, in the order in which it is read', () => {
  assert.is(visible('one\r\ntwo'), 'one two');
  assert.is(visible('\u001b[2Jred \u202edet\u0000\u200b!'), ' [2Jred  det !');
  assert.is(visible('größer als 日本'), 'größer als 日本');
  assert.is(withoutSecrets('no\nsuch\u0007 role'), 'no such  role');
});

test('no secret and no key is in it, and it is not long', () => {
  assert.is(withoutSecrets('token abc is bad', ['abc']), 'token […] is bad');
  assert.is(withoutSecrets(`key ${'A'.repeat(64)} is bad`), 'key […] is bad');
  assert.is(withoutSecrets('a '.repeat(10_000)).length, 1_024);
});

test.run();

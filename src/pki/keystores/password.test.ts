import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { checkPassword, passwordProblem } from './password.ts';

const problem = (text: string) => passwordProblem(Buffer.from(text, 'latin1'));

test('printable ASCII of 1 to 1023 characters is a password', () => {
  for (const text of ['a', ' ', '~', 'changeit', ' spaces ', 'x'.repeat(1023)]) assert.is(problem(text), undefined);
});

test('what can be no password is refused with the reason', () => {
  assert.match(passwordProblem(undefined) ?? '', /there is no password/);
  assert.match(problem('') ?? '', /is empty/);
  assert.match(problem('x'.repeat(1024)) ?? '', /^the password has more than 1023 bytes$/);
  for (const text of ['changeit\n', 'changeit\r\n', '\n'])
    assert.match(problem(text) ?? '', /ends with a line break.*printf/);
  for (const text of ['a\nb', '\x1f', '\x7f', 'caf\xe9', '\xef\xbb\xbfa', '\0'])
    assert.match(problem(text) ?? '', /not printable ASCII/);
});

test('a character that becomes several bytes is refused too', () => {
  assert.throws(() => checkPassword('pässwort'), /not printable ASCII/);
  assert.throws(() => checkPassword('\u{1f600}'), /not printable ASCII/);
});

test('the reason never holds any of the password', () => {
  const texts = new Set<string | undefined>();
  const bad = fc.uint8Array({ maxLength: 40 }).filter((bytes) => passwordProblem(bytes) !== undefined);
  fc.assert(
    fc.property(bad, (bytes) => {
      texts.add(passwordProblem(bytes));
    }),
    { numRuns: 2_000 },
  );
  // The same few sentences whatever the bytes.
  assert.is(texts.size, 3);
});

test.run();

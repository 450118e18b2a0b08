import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { LineSplitter } from './lines.ts';

const text = 'a\u2028b\u2029c\u0085d\n\n{"key":"\u{1f511}"}\r\nlast';

test('lines end at newlines only, wherever the stream is cut', () => {
  const bytes = Buffer.from(text);
  for (let size = 1; size <= bytes.length; size++) {
    const lines: string[] = [];
    const splitter = new LineSplitter();
    for (let at = 0; at < bytes.length; at += size) lines.push(...splitter.push(bytes.subarray(at, at + size)));
    assert.equal(lines, ['a\u2028b\u2029c\u0085d', '{"key":"\u{1f511}"}\r']);
    assert.is(splitter.pending, 4);
  }
});

test('a line without an end is refused before it fills the memory', () => {
  const splitter = new LineSplitter();
  const chunk = Buffer.alloc(2 ** 20, 'x');
  assert.throws(() => {
    for (let index = 0; index < 100; index++) Array.from(splitter.push(chunk));
  }, /longer than/);
});

test.run();

import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { Body } from './body.ts';

function collect(pieces: readonly Buffer[]): Body {
  const body = new Body();
  for (const piece of pieces) body.push(piece);
  return body;
}

test('a body that never comes is empty', () => {
  assert.is(new Body().toString(), '');
  assert.is(new Body().length, 0);
});

test('however it is cut, the text is whole, and no piece is written over', () => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ maxLength: 40 })), (parts) => {
      const pieces = parts.map((part) => Buffer.from(part));
      const body = collect(pieces);
      const whole = Buffer.concat(parts);
      assert.is(body.toString(), whole.toString('utf8'));
      assert.is(body.length, whole.length);
      for (const [index, piece] of pieces.entries()) assert.ok(piece.equals(Buffer.from(parts[index] ?? [])));
    }),
  );
});

test('a character that is cut in two is put together again', () => {
  const [first, second] = [Buffer.from('\u{1f511}').subarray(0, 2), Buffer.from('\u{1f511}').subarray(2)];
  assert.is(collect([first, second]).toString(), '\u{1f511}');
});

test('a body of many megabytes is whole', () => {
  const piece = Buffer.from('0123456789abcdef'.repeat(1_000));
  const body = collect(Array.from({ length: 500 }, () => piece));
  assert.is(body.length, 8_000_000);
  assert.is(body.toString(), '0123456789abcdef'.repeat(500_000));
});

test.run();

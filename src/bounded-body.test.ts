import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { BoundedBody, readBounded } from './bounded-body.ts';

const UNBOUNDED = Number.POSITIVE_INFINITY;

function collect(pieces: readonly Buffer[]): BoundedBody {
  const body = new BoundedBody(UNBOUNDED);
  for (const piece of pieces) body.push(piece);
  return body;
}

test('a body that never comes is empty', () => {
  assert.is(new BoundedBody(UNBOUNDED).toString(), '');
  assert.is(new BoundedBody(UNBOUNDED).length, 0);
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

test('a piece beyond the bound is refused, and the body keeps what it had', () => {
  const body = new BoundedBody(5);
  assert.is(body.push(Buffer.from('abc')), true);
  assert.is(body.push(Buffer.from('def')), false);
  assert.is(body.push(Buffer.from('de')), true);
  assert.is(body.toString(), 'abcde');
});

test('a stream is read up to its bound, and is ended when it exceeds it', async () => {
  let ended = 0;
  async function* stream(): AsyncGenerator<Buffer> {
    try {
      for (;;) yield Buffer.from('abc');
    } finally {
      ended += 1;
    }
  }
  async function* three(): AsyncGenerator<Buffer> {
    yield Buffer.from('abc');
  }
  assert.is(String(await readBounded(three(), 3)), 'abc');
  assert.is(await readBounded(three(), 2), undefined);
  assert.is(await readBounded(stream(), 3_000), undefined);
  assert.is(ended, 1);
});

test.run();

import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { cpuMs } from '../../test/unit/cpu.ts';
import { EncryptedPemError, MAX_PEM_BYTES, parsePem, toPem } from './pem.ts';

const block = toPem('CERTIFICATE', Buffer.from('content'));

test('what toPem writes, parsePem reads, whatever the bytes are', () => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ minLength: 1, maxLength: 400 }), { minLength: 1, maxLength: 4 }), (list) => {
      const blocks = parsePem(list.map((bytes) => toPem('CERTIFICATE', bytes)).join(''));
      assert.equal(
        blocks.map(({ label, der }) => [label, der.toString('hex')]),
        list.map((bytes) => ['CERTIFICATE', Buffer.from(bytes).toString('hex')]),
      );
    }),
  );
});

test('lines are 64 characters long and the text ends with a newline', () => {
  const lines = toPem('X', Buffer.alloc(100)).split('\n');
  assert.equal(
    lines.map((line) => line.length),
    [17, 64, 64, 8, 15, 0],
  );
});

test('line ends of Windows, blank lines and trailing blanks are read', () => {
  const [read] = parsePem(`\r\n \t\r\n${block.replaceAll('\n', ' \r\n')}\r\n`);
  assert.is(read?.der.toString(), 'content');
});

test('text outside the blocks is refused, and skipped only when asked to', () => {
  for (const text of [`subject=CN=a\n${block}`, `${block}junk`, `\ufeff${block}`, `\u00a0\n${block}`, `${block}\0`]) {
    assert.throws(() => parsePem(text), /outside the PEM blocks/);
  }
  assert.is(parsePem(`subject=CN=a\n${block}junk`, { strict: false }).length, 1);
});

test('an empty text has no blocks', () => {
  assert.equal(parsePem(' \n'), []);
});

test('malformed blocks are refused', () => {
  const cases: [string, RegExp][] = [
    [block.replace('-----END CERTIFICATE-----', ''), /has no end/],
    [block.replace('END CERTIFICATE', 'END PRIVATE KEY'), /ends with another label/],
    [block.replace('BEGIN CERTIFICATE', 'BEGIN certificate'), /malformed PEM label/],
    [block.replace('BEGIN CERTIFICATE-----', 'BEGIN CERTIFICATE----'), /malformed PEM label/],
    [`-----BEGIN ${'A'.repeat(100)}-----\n`, /malformed PEM label/],
    ['-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n', /is empty/],
    [block.replace('Y29u', 'Y2*u'), /not base64/],
    [block.replace('Y29u', 'Y29-'), /not base64/],
    [block.replace('Y29u', 'Y2=u'), /not base64/],
    // The same bytes with other padding bits: two texts for one certificate.
    ['-----BEGIN X-----\nAB==\n-----END X-----\n', /not base64/],
    ['-----BEGIN X-----\nAA\n-----END X-----\n', /not base64/],
    [`-----BEGIN X-----\n${block}-----END X-----\n`, /ends with another label/],
  ];
  for (const [text, message] of cases) assert.throws(() => parsePem(text), message);
});

test('an encrypted key is named as such', () => {
  const text =
    '-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-256-CBC,00\n\nAAAA\n-----END RSA PRIVATE KEY-----\n';
  assert.throws(
    () => parsePem(text),
    (error: unknown) => error instanceof EncryptedPemError,
  );
});

test('the cap counts bytes and comes before parsing', () => {
  assert.throws(() => parsePem('x'.repeat(MAX_PEM_BYTES + 1)), /over 100000 bytes/);
  assert.throws(() => parsePem('ü'.repeat(MAX_PEM_BYTES / 2 + 1)), /over 100000 bytes/);
  assert.throws(() => parsePem('\n'.repeat(21), { maxBytes: 20 }), /over 20 bytes/);
});

test('no text of the largest size takes long or throws anything but an Error', () => {
  for (const unit of ['-----BEGIN A-----\n', '-', '\n', ' ', block, '-----BEGIN A-----\nA', 'Proc-Type:']) {
    const text = unit.repeat(Math.floor(MAX_PEM_BYTES / unit.length));
    const ms = cpuMs(() => {
      try {
        parsePem(text);
      } catch (error) {
        assert.instance(error, Error);
      }
    });
    assert.ok(ms < 100, `${ms} ms`);
  }
});

test.run();

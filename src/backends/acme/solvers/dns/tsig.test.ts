import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { decodeMessage, encodeUpdate } from './message.ts';
import { readTsig, signMessage, type TsigKey, tsigProblem } from './tsig.ts';

// dnspython and BIND are the oracles: test/e2e/backends/acme-solvers-dns.test.ts.

const NOW = 1_700_000_000;
const KEY: TsigKey = { name: 'certwheel', algorithm: 'HMACSHA256', secret: Buffer.alloc(32, 7) };
const request = signMessage(encodeUpdate(1, 'example.com', []), KEY, NOW);

/** The answer of a server with the key, which is signed over the MAC of the request too. */
function answer(key = KEY, requestMac = request.mac, now = NOW): Buffer {
  const unsigned = encodeUpdate(1, 'example.com', []);
  unsigned.writeUInt16BE(0xa800, 2);
  return signMessage(unsigned, key, now, requestMac).bytes;
}

function problem(bytes: Buffer, { key = KEY, mac = request.mac, now = NOW } = {}): string | undefined {
  const message = decodeMessage(bytes);
  const tsig = readTsig(message);
  return tsig === undefined ? 'none' : tsigProblem(bytes, message, tsig, key, mac, now);
}

test('an answer of a server with the key is accepted, also where a proxy changed its id', () => {
  assert.is(problem(answer()), undefined);
  const renumbered = answer();
  renumbered.writeUInt16BE(99, 0);
  assert.is(problem(renumbered), undefined);
});

test('an answer without a TSIG has none', () => {
  assert.is(problem(encodeUpdate(1, 'example.com', [])), 'none');
});

for (const [what, bytes, expected] of [
  ['by another key', answer({ ...KEY, secret: Buffer.alloc(32, 8) }), 'its signature is wrong'],
  ['by a key of another name', answer({ ...KEY, name: 'other' }), 'it is signed with the key other'],
  ['by another algorithm', answer({ ...KEY, algorithm: 'HMACSHA512' }), 'it is signed with hmac-sha512'],
  ['to another request', answer(KEY, Buffer.alloc(32)), 'its signature is wrong'],
  ['301 s ago', answer(KEY, request.mac, NOW - 301), 'it was signed at another time'],
] as const) {
  test(`an answer that was signed ${what} is refused`, () => assert.is(problem(bytes), expected));
}

test('an answer of which any bit before its signature was changed is refused', () => {
  const good = answer();
  const id = 16;
  const end = 8 * (decodeMessage(good).tsigOffset ?? 0);
  fc.assert(
    fc.property(fc.integer({ min: id, max: end - 1 }), (bit) => {
      const bytes = Buffer.from(good);
      const at = bit >> 3;
      bytes[at] = (bytes[at] ?? 0) ^ (1 << (bit & 7));
      let found: string | undefined;
      try {
        found = problem(bytes);
      } catch {
        return;
      }
      assert.is.not(found, undefined, `bit ${bit}`);
    }),
    { numRuns: 300 },
  );
});

test('a MAC that is cut short is refused', () => {
  const good = answer();
  const message = decodeMessage(good);
  const tsig = readTsig(message);
  assert.ok(tsig);
  assert.is(
    tsigProblem(good, message, { ...tsig, mac: tsig.mac.subarray(0, 16) }, KEY, request.mac, NOW),
    'its signature is wrong',
  );
});

test.run();

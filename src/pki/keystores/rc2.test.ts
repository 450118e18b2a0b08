import { createHash } from 'node:crypto';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { openssl } from '../../../test/pki/openssl.ts';
import { rc2CbcEncrypt } from './rc2.ts';

const bytes = (hex: string) => Buffer.from(hex, 'hex');

/** RFC 2268 section 5: key, effective bits, plaintext, ciphertext. */
const VECTORS: readonly (readonly [string, number, string, string])[] = [
  ['0000000000000000', 63, '0000000000000000', 'ebb773f993278eff'],
  ['ffffffffffffffff', 64, 'ffffffffffffffff', '278b27e42e2f0d49'],
  ['3000000000000000', 64, '1000000000000001', '30649edf9be7d2c2'],
  ['88', 64, '0000000000000000', '61a8a244adacccf0'],
  ['88bca90e90875a', 64, '0000000000000000', '6ccf4308974c267f'],
  ['88bca90e90875a7f0f79c384627bafb2', 64, '0000000000000000', '1a807d272bbe5db1'],
  ['88bca90e90875a7f0f79c384627bafb2', 128, '0000000000000000', '2269552ab0f85ca6'],
  ['88bca90e90875a7f0f79c384627bafb216f80a6f85920584c42fceb0be255daf1e', 129, '0000000000000000', '5b78d3a43dfff1f1'],
];

test('the first block is that of the examples of RFC 2268', () => {
  for (const [key, bits, plaintext, ciphertext] of VECTORS) {
    const encrypted = rc2CbcEncrypt(bytes(key), bits, Buffer.alloc(8), bytes(plaintext));
    assert.is(encrypted.subarray(0, 8).toString('hex'), ciphertext, `${key}, ${bits} bits`);
  }
});

test('OpenSSL encrypts texts of every length to the same bytes', () => {
  const some = (seed: string, length: number) => createHash('shake256', { outputLength: length }).update(seed).digest();
  for (let length = 0; length <= 33; length += 1) {
    const [key, iv, plaintext] = [some(`key ${length}`, 5), some(`iv ${length}`, 8), some('text', length)];
    const names = ['-K', key.toString('hex'), '-iv', iv.toString('hex'), '-in', '{plaintext}', '-a', '-A'];
    const { ok, out, text } = openssl(['enc', '-rc2-40-cbc', '-provider', 'legacy', '-provider', 'default', ...names], {
      plaintext,
    });
    assert.ok(ok, text);
    assert.is(rc2CbcEncrypt(key, 40, iv, plaintext).toString('base64'), out.trim(), `${length} bytes`);
  }
});

test.run();

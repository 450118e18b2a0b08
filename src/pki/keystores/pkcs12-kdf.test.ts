import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { openssl } from '../../../test/pki/openssl.ts';
import { utf16Bytes } from '../asn1/write.ts';
import { deriveBytes, KDF_PURPOSE, type KdfRequest } from './pkcs12-kdf.ts';

const SEED = 20_260_601;

function opensslBytes({ hash, purpose, password, salt, iterations, length }: KdfRequest): string {
  const options = {
    digest: hash,
    hexpass: `${utf16Bytes(password).toString('hex')}0000`,
    hexsalt: Buffer.from(salt).toString('hex'),
    iter: iterations,
    id: purpose,
  };
  const flags = Object.entries(options).flatMap(([name, value]) => ['-kdfopt', `${name}:${value}`]);
  const { ok, out, text } = openssl(['kdf', '-keylen', `${length}`, ...flags, 'PKCS12KDF']);
  assert.ok(ok, text);
  return out.trim().replaceAll(':', '').toLowerCase();
}

const requests: fc.Arbitrary<KdfRequest> = fc.record({
  hash: fc.constantFrom('sha1', 'sha256'),
  purpose: fc.constantFrom(...Object.values(KDF_PURPOSE)),
  // Of one to three blocks.
  password: fc.string({ minLength: 1, maxLength: 80 }),
  salt: fc.uint8Array({ minLength: 1, maxLength: 70 }),
  iterations: fc.constantFrom(1, 2, 255, 256, 257, 2048),
  length: fc.integer({ min: 1, max: 90 }),
});

test('OpenSSL derives the same bytes', async () => {
  const some = fc.sample(requests, { seed: SEED, numRuns: 60 });
  for (const request of some)
    assert.is((await deriveBytes(request)).toString('hex'), opensslBytes(request), JSON.stringify(request));
});

test('a sum that overflows its block is cut off', async () => {
  // Bytes of 0xff carry through the whole block.
  const salt = Buffer.alloc(64, 0xff);
  const request = { hash: 'sha1', purpose: 1, password: 'a', salt, iterations: 1, length: 60 } as const;
  assert.is((await deriveBytes(request)).toString('hex'), opensslBytes(request));
});

test('it leaves the event loop to others in between', async () => {
  let turns = 0;
  const count = () => {
    turns += 1;
    timer = setImmediate(count);
  };
  let timer = setImmediate(count);
  await deriveBytes({
    hash: 'sha256',
    purpose: KDF_PURPOSE.mac,
    password: 'changeit',
    salt: Buffer.alloc(16),
    iterations: 2048,
    length: 32,
  });
  clearImmediate(timer);
  assert.ok(turns >= 7, `${turns} turns`);
});

test.run();

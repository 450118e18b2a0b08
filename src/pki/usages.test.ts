import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { canonicalUsages, decodeExtendedKeyUsage, decodeKeyUsage, encodeUsages, usagesProblem } from './usages.ts';

const ALL = [
  ...[
    'signing',
    'digital signature',
    'content commitment',
    'key encipherment',
    'key agreement',
    'data encipherment',
    'cert sign',
  ],
  ...[
    'crl sign',
    'encipher only',
    'decipher only',
    'any',
    'server auth',
    'client auth',
    'code signing',
    'email protection',
    's/mime',
  ],
  ...[
    'ipsec end system',
    'ipsec tunnel',
    'ipsec user',
    'timestamping',
    'ocsp signing',
    'microsoft sgc',
    'netscape sgc',
  ],
];

test("all of cert-manager's 23 usages survive", () => {
  assert.is(ALL.length, 23);
  const { keyUsage, extendedKeyUsage } = encodeUsages(ALL);
  assert.ok(keyUsage && extendedKeyUsage);
  assert.equal(
    canonicalUsages([...decodeKeyUsage(keyUsage), ...decodeExtendedKeyUsage(extendedKeyUsage)]),
    canonicalUsages(ALL),
  );
});

test('the usual usages are these bytes', () => {
  const { keyUsage, extendedKeyUsage } = encodeUsages(['digital signature', 'client auth', 'signing']);
  assert.is(keyUsage?.toString('hex'), '03020780');
  assert.is(extendedKeyUsage?.toString('hex'), '300a06082b06010505070302');
});

test('nothing asked for writes nothing', () => {
  assert.equal(encodeUsages([]), {});
});

test('a purpose without a name is shown by its number', () => {
  assert.equal(decodeExtendedKeyUsage(Buffer.from('300506032a0304', 'hex')), ['1.2.3.4']);
});

test('what a leaf or its key cannot do is refused', () => {
  const ecdsa = { algorithm: 'ECDSA', size: 256 } as const;
  assert.is(usagesProblem(['signing', 'client auth', 's/mime'], ecdsa), undefined);
  assert.match(usagesProblem(['cert sign'], ecdsa) ?? '', 'for CAs');
  assert.match(usagesProblem(['crl sign'], ecdsa) ?? '', 'for CAs');
  assert.match(usagesProblem(['key encipherment'], ecdsa) ?? '', "ECDSA key can't");
  assert.is(usagesProblem(['signing', 'key encipherment'], { algorithm: 'RSA', size: 2048 }), undefined);
  assert.match(usagesProblem(['key agreement'], { algorithm: 'RSA', size: 2048 }) ?? '', "RSA key can't");
  assert.match(usagesProblem(['key agreement'], { algorithm: 'Ed25519' }) ?? '', "Ed25519 key can't");
  assert.is(usagesProblem(['digital signature', 'key agreement'], ecdsa), undefined);
  assert.match(usagesProblem(['toString'], ecdsa) ?? '', 'unknown');
  assert.throws(() => encodeUsages(['constructor']), /unknown/);
});

test('a key usage without digital signature is refused, and none at all is not', () => {
  const ecdsa = { algorithm: 'ECDSA', size: 256 } as const;
  for (const usage of ['content commitment', 'key agreement'])
    assert.match(usagesProblem(['client auth', usage], ecdsa) ?? '', 'without "digital signature"');
  assert.is(usagesProblem(['client auth'], ecdsa), undefined);
  assert.is(usagesProblem(['client auth', 'signing', 'content commitment'], ecdsa), undefined);
});

test.run();

import { generateKeyPairSync } from 'node:crypto';
import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { type Holder, leaf, root, signIntermediate } from '../../../test/pki/make.ts';
import { encodePrivateKey, generateKey } from '../../pki/keys.ts';
import { type OwedContent, readSecretContent, type SecretContent, SecretContentError } from './read-content.ts';

const ca = await root();
const stranger = await root({ commonName: 'Stranger' });
const upper = await signIntermediate(ca, { commonName: 'Upper' });
const lower = await signIntermediate(upper, { commonName: 'Lower' });
const client = await leaf(ca);
const deep = await leaf(lower);
const KEY = encodePrivateKey(client.key, 'PKCS8');

function pem(...holders: Holder[]): string {
  return holders.map(({ certificate }) => certificate.pem).join('');
}

interface Texts {
  readonly crt?: string | undefined;
  readonly key?: string | undefined;
  readonly ca?: string | undefined;
}

function data(texts: Texts = {}): Record<string, string> {
  const { crt, key, ca: bundle } = { crt: pem(client), key: KEY, ca: pem(ca), ...texts };
  const present = Object.entries({ 'tls.crt': crt, 'tls.key': key, 'ca.crt': bundle });
  return Object.fromEntries(
    present.flatMap(([name, text]) => (text === undefined ? [] : [[name, Buffer.from(text).toString('base64')]])),
  );
}

/** Of a certificate whose path is short. */
function read(texts: Texts = {}): SecretContent {
  const content = readSecretContent(data(texts));
  assert.not('settle' in content);
  return content as SecretContent;
}

test('a leaf that is signed by the CA of the bundle is read', () => {
  const content = read();
  assert.is(content.leaf.fingerprintSHA256, client.certificate.fingerprintSHA256);
  assert.is(content.issuer.fingerprintSHA256, ca.certificate.fingerprintSHA256);
  assert.is(content.anchors[0]?.fingerprintSHA256, ca.certificate.fingerprintSHA256);
});

test('a leaf below intermediates leads to the root, in whatever order they stand', () => {
  for (const chain of [pem(deep, lower, upper), pem(deep, upper, lower), pem(deep, stranger, lower, upper, ca)]) {
    const content = read({ crt: chain, key: encodePrivateKey(deep.key, 'PKCS8') });
    assert.is(content.issuer.fingerprintSHA256, lower.certificate.fingerprintSHA256);
    assert.is(content.anchors[0]?.fingerprintSHA256, ca.certificate.fingerprintSHA256);
  }
});

test('the CA that signed the leaf is found among several in the bundle', () => {
  const content = read({ ca: pem(stranger, ca) });
  assert.is(content.anchors[0]?.fingerprintSHA256, ca.certificate.fingerprintSHA256);
});

test('a path that takes many signatures is owed, and leads to the same root later', async () => {
  const spec = { algorithm: 'ECDSA', size: 521 } as const;
  const top = await root({ keySpec: spec });
  const middle = await signIntermediate(top, { keySpec: spec, commonName: 'Middle' });
  const below = await signIntermediate(middle, { keySpec: spec, commonName: 'Below' });
  const dear = await leaf(below);
  const crt = pem(dear, below, middle);
  const content = readSecretContent(data({ crt, key: encodePrivateKey(dear.key, 'PKCS8'), ca: pem(top, ca) }));
  assert.ok('settle' in content);
  const { issuer, anchors } = (content as OwedContent).settle();
  assert.is(issuer.fingerprintSHA256, below.certificate.fingerprintSHA256);
  assert.is(anchors[0]?.fingerprintSHA256, top.certificate.fingerprintSHA256);
  const impostor = await root({ keySpec: spec });
  assert.throws(() => {
    const wrong = readSecretContent(data({ crt, key: encodePrivateKey(dear.key, 'PKCS8'), ca: pem(impostor, ca) }));
    if ('settle' in wrong) wrong.settle();
  }, /does not lead to a CA/);
});

test('a key in either encoding is read', () => {
  assert.is(read().keyEncoding, 'PKCS8');
  assert.is(read({ key: encodePrivateKey(client.key, 'PKCS1') }).keyEncoding, 'PKCS1');
});

const other = encodePrivateKey(await generateKey({ algorithm: 'ECDSA', size: 256 }), 'PKCS8');
const weak = generateKeyPairSync('rsa', { modulusLength: 1024 }).privateKey.export({ type: 'pkcs8', format: 'pem' });
const PROBLEMS: Record<string, [texts: Texts, problem: string]> = {
  'no certificate': [{ crt: undefined }, 'tls.crt is missing'],
  'an empty certificate': [{ crt: '' }, 'tls.crt is missing'],
  'only white space for a certificate': [{ crt: ' \n' }, 'tls.crt holds no certificate'],
  'no key': [{ key: undefined }, 'tls.key is missing'],
  'no bundle': [{ ca: undefined }, 'ca.crt is missing'],
  'garbage for a certificate': [{ crt: 'garbage' }, "tls.crt can't be read: bytes outside the PEM blocks"],
  'garbage for a bundle': [{ ca: 'garbage' }, "ca.crt can't be read: bytes outside the PEM blocks"],
  'garbage for a key': [{ key: 'garbage' }, "tls.key can't be read as a private key"],
  'a certificate cut in half': [{ crt: pem(client).slice(0, 300) }, "tls.crt can't be read: "],
  'a key cut in half': [{ key: KEY.slice(0, 90) }, "tls.key can't be read as a private key"],
  'the key where the certificate belongs': [{ crt: KEY }, "tls.crt can't be read: "],
  'the certificate where the key belongs': [{ key: pem(client) }, "tls.key can't be read as a private key"],
  'another key': [{ key: other }, 'tls.key is not the key of the certificate in tls.crt'],
  'a weak key': [{ key: weak.toString() }, "tls.key can't be read as a private key"],
  'two keys': [{ key: KEY + other }, "tls.key can't be read as a private key"],
  'another CA': [{ ca: pem(stranger) }, 'does not lead to a CA certificate of ca.crt'],
  'the CA before the leaf': [{ crt: pem(ca, client) }, 'tls.key is not the key'],
  'a leaf whose intermediate is missing': [
    { crt: pem(deep, upper), key: encodePrivateKey(deep.key, 'PKCS8') },
    'does not lead to a CA certificate of ca.crt',
  ],
};

for (const [sentence, [texts, problem]] of Object.entries(PROBLEMS)) {
  test(`a Secret with ${sentence} says so`, () => {
    assert.throws(
      () => readSecretContent(data(texts)),
      (error: Error) => error instanceof SecretContentError && error.message.includes(problem),
    );
  });
}

test('a Secret without any data says so', () => {
  assert.throws(() => readSecretContent(undefined), /tls.crt is missing/);
});

const piece = fc.oneof(
  fc.constantFrom(pem(client), KEY, pem(ca), other, pem(client).slice(0, 200), KEY.slice(20), '-----BEGIN X-----\n'),
  fc.string(),
  fc.uint8Array({ maxLength: 64 }).map((bytes) => Buffer.from(bytes).toString('latin1')),
);
const pieces = fc.option(
  fc.array(piece, { maxLength: 4 }).map((all) => all.join('')),
  { nil: undefined },
);

test('any content of a Secret is read as a certificate, or as a problem that quotes nothing of a key', () => {
  const keyLines = [KEY, other].flatMap((text) => text.split('\n').slice(1, -2));
  fc.assert(
    fc.property(pieces, pieces, pieces, (crt, key, bundle) => {
      try {
        readSecretContent(data({ crt, key, ca: bundle }));
      } catch (error) {
        assert.instance(error, SecretContentError);
        const { message } = error as Error;
        for (const line of keyLines) assert.not(message.includes(line), message);
        assert.not(message.includes('BEGIN'), message);
      }
    }),
    { numRuns: 500 },
  );
});

test('content that is not base64 is a problem too', () => {
  fc.assert(
    fc.property(fc.string({ minLength: 1 }), (text) => {
      assert.throws(
        () => readSecretContent({ ...data(), 'tls.crt': text }),
        (error: unknown) => error instanceof SecretContentError,
      );
    }),
  );
});

test.run();

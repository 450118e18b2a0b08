import { generateKeyPairSync } from 'node:crypto';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { leaf, NOW, root, signIntermediate } from '../../../test/pki/make.ts';
import { FakeClock } from '../../../test/unit/fake-clock.ts';
import { AuthorityError } from '../../errors.ts';
import { encodePrivateKey } from '../../pki/keys.ts';
import type { BackendDeps } from '../backend-deps.ts';
import { ClientPairSource } from './client-pair.ts';

const ca = await root();
const below = await signIntermediate(ca);
const good = await leaf(below);
const other = await leaf(below);

type Content = Record<string, Buffer | string> | undefined;
const pem = encodePrivateKey(good.key, 'PKCS8');
const pair = { 'tls.crt': good.certificate.pem + below.certificate.pem, 'tls.key': pem };

function source(content: { current: Content }, now = NOW) {
  const clock = new FakeClock(now);
  const deps = {
    clock,
    objects: { namespace: 'shop' },
    secret: async () =>
      content.current &&
      Object.fromEntries(Object.entries(content.current).map(([key, value]) => [key, Buffer.from(value)])),
  } as unknown as BackendDeps;
  return new ClientPairSource('login', deps);
}

test('a pair is read with its chain; the same bytes are the same pair, others another one', async () => {
  const content: { current: Content } = { current: pair };
  const pairs = source(content);
  const first = await pairs.read();
  assert.equal(
    first.chain.map(({ fingerprintSHA256 }) => fingerprintSHA256),
    [good.certificate, below.certificate].map(({ fingerprintSHA256 }) => fingerprintSHA256),
  );
  assert.is(await pairs.read(), first);
  content.current = { 'tls.crt': other.certificate.pem, 'tls.key': encodePrivateKey(other.key, 'PKCS8') };
  const second = await pairs.read();
  assert.is.not(second.id, first.id);
  assert.is(second.leaf.serialNumber, other.certificate.serialNumber);
});

const large = generateKeyPairSync('rsa', { modulusLength: 4_352 }).privateKey;
const FAULTS: Record<string, [content: Content, code: string, says: string, now?: Date]> = {
  'is missing': [undefined, 'CredentialsNotFound', 'kubectl create secret tls login -n shop'],
  'has no key': [{ 'tls.crt': pair['tls.crt'] }, 'CredentialsNotFound', 'Secret shop/login has no key tls.key'],
  'has no certificate': [{ 'tls.key': pem }, 'CredentialsNotFound', 'Secret shop/login has no key tls.crt'],
  'is empty': [{ 'tls.crt': '', 'tls.key': '' }, 'CredentialsRefused', 'Secret shop/login, key tls.crt: this is empty'],
  'holds DER': [
    { ...pair, 'tls.crt': good.certificate.der },
    'CredentialsRefused',
    'Secret shop/login, key tls.crt: this is DER',
  ],
  'holds a certificate that is cut off': [
    { ...pair, 'tls.crt': good.certificate.pem.replace(/.{40}\n(?=-----END)/, '\n') },
    'CredentialsRefused',
    'Secret shop/login, key tls.crt',
  ],
  'holds the key of another certificate': [
    { ...pair, 'tls.crt': other.certificate.pem },
    'CredentialsRefused',
    'this is not the key of the first certificate in tls.crt',
  ],
  'holds the chain upside down': [
    { ...pair, 'tls.crt': below.certificate.pem + good.certificate.pem },
    'CredentialsRefused',
    'this is not the key of the first certificate in tls.crt',
  ],
  'holds a hundred certificates': [
    { ...pair, 'tls.crt': good.certificate.pem.repeat(100) },
    'CredentialsRefused',
    'Secret shop/login, key tls.crt: this is too much',
  ],
  'holds two megabytes': [
    { ...pair, 'tls.crt': 'x'.repeat(2_000_000) },
    'CredentialsRefused',
    'Secret shop/login, key tls.crt: this is too large',
  ],
  'holds a CA': [
    { 'tls.crt': below.certificate.pem, 'tls.key': encodePrivateKey(below.key, 'PKCS8') },
    'CredentialsRefused',
    'this is a CA certificate; put a client certificate',
  ],
  'holds an RSA key that is too large': [
    {
      'tls.crt': (await leaf(below, { key: large })).certificate.pem,
      'tls.key': large.export({ type: 'pkcs8', format: 'pem' }).toString(),
    },
    'CredentialsRefused',
    'more than 4096 bits',
  ],
  'holds an expired certificate': [
    pair,
    'CredentialsRefused',
    'this certificate expired at',
    new Date(NOW.getTime() + 25 * 3_600_000),
  ],
  'holds a certificate of the future': [
    pair,
    'CredentialsRefused',
    'is valid from',
    new Date(NOW.getTime() - 2 * 3_600_000),
  ],
};
for (const [what, [content, code, says, now]] of Object.entries(FAULTS))
  test(`a Secret that ${what} is reported with what mends it, and nothing of the key`, async () => {
    const error = await source({ current: content }, now)
      .read()
      .catch((thrown: unknown) => thrown);
    assert.instance(error, AuthorityError);
    assert.is((error as AuthorityError).code, code);
    assert.match((error as AuthorityError).message, says);
    assert.not.match((error as AuthorityError).message, pem.split('\n')[1] as string);
  });

test.run();

import { generateKeyPairSync } from 'node:crypto';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { NOW, root } from '../../test/pki/make.ts';
import { FakeClock } from '../../test/unit/fake-clock.ts';
import { AuthorityError } from '../errors.ts';
import type { CaPair } from '../pki/ca.ts';
import { encodePrivateKey } from '../pki/keys.ts';
import type { BackendDeps, ReferencedData } from './backend-deps.ts';
import { secret } from './secret.ts';

const holder = await root();
const good = {
  'tls.crt': Buffer.from(holder.certificate.pem),
  'tls.key': Buffer.from(encodePrivateKey(holder.key, 'PKCS8')),
};

async function pairOf(content: ReferencedData | undefined): Promise<CaPair> {
  const deps = {
    name: 'ns/ca',
    clock: new FakeClock(NOW),
    objects: { namespace: 'ns' },
    secret: async () => content,
  } as unknown as BackendDeps;
  return (await secret
    .create({ name: 'pair', partialChain: false }, deps)
    .keyPair?.(undefined, 1, new AbortController().signal, (work) => work())) as CaPair;
}

async function refusal(content: ReferencedData | undefined): Promise<string> {
  try {
    await pairOf(content);
  } catch (error) {
    assert.instance(error, AuthorityError);
    return `${(error as AuthorityError).code}: ${(error as AuthorityError).message}`;
  }
  return 'accepted';
}

test('the pair of the Secret is the pair to sign with', async () => {
  assert.is((await pairOf(good)).certificate.fingerprintSHA256, holder.certificate.fingerprintSHA256);
});

test('a Secret that has not changed is not read again, and one that has is', async () => {
  let content: ReferencedData = good;
  const deps = { clock: new FakeClock(NOW), objects: { namespace: 'ns' }, secret: async () => ({ ...content }) };
  const backend = secret.create({ name: 'pair', partialChain: false }, deps as unknown as BackendDeps);
  const look = () => backend.keyPair?.(undefined, 1, new AbortController().signal, (work) => work());
  const first = await look();
  assert.is(await look(), first);
  const other = await root();
  content = {
    'tls.crt': Buffer.from(other.certificate.pem),
    'tls.key': Buffer.from(encodePrivateKey(other.key, 'PKCS8')),
  };
  assert.is((await look())?.certificate.fingerprintSHA256, other.certificate.fingerprintSHA256);
});

test('a trial signature that takes long is made aside, and others are made at once', async () => {
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 4608 });
  for (const [ca, expected] of [
    [await root({ key: privateKey }), 1],
    [holder, 0],
  ] as const) {
    const content = {
      'tls.crt': Buffer.from(ca.certificate.pem),
      'tls.key': Buffer.from(encodePrivateKey(ca.key, 'PKCS8')),
    };
    const deps = { clock: new FakeClock(NOW), objects: { namespace: 'ns' }, secret: async () => content };
    const backend = secret.create({ name: 'pair', partialChain: false }, deps as unknown as BackendDeps);
    let waits = 0;
    const aside = <T>(work: () => Promise<T>) => {
      waits++;
      return work();
    };
    await backend.keyPair?.(undefined, 1, new AbortController().signal, aside);
    assert.is(waits, expected, ca.certificate.keySpec?.algorithm);
  }
});

test('a missing Secret is reported with the command that makes it', async () => {
  const told = await refusal(undefined);
  assert.match(told, 'CASecretNotFound: there is no Secret ns/pair');
  assert.match(told, 'kubectl create secret generic pair -n ns --from-file=tls.crt=ca.crt --from-file=tls.key=ca.key');
});

test('a half of the pair that is missing is named, with the command that makes both', async () => {
  const missing = await refusal({ 'tls.crt': good['tls.crt'] });
  assert.match(
    missing,
    'CAPairRefused: Secret ns/pair has no key tls.key; write it with: kubectl create secret generic pair -n ns',
  );
  assert.match(await refusal({ ...good, 'tls.crt': Buffer.alloc(0) }), 'Secret ns/pair, key tls.crt: ');
});

test('a refusal names the Secret and its key', async () => {
  const other = Buffer.from(encodePrivateKey((await root()).key, 'PKCS8'));
  assert.match(await refusal({ ...good, 'tls.key': other }), 'CAPairRefused: Secret ns/pair, key tls.key: ');
});

test.run();

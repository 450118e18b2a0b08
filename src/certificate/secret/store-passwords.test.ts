import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { NO_OUTPUTS } from '../../api/outputs.ts';
import { passwordSecretsOf, readStorePasswords } from './store-passwords.ts';

const pkcs12 = { alias: 'a', profile: 'Modern2023', password: { name: 'one', key: 'p12' } } as const;
const jks = { alias: 'a', password: { name: 'two', key: 'jks' } };
const spec = { outputs: { ...NO_OUTPUTS, pkcs12, jks } };
const GOOD: Readonly<Record<string, Record<string, string>>> = { one: { p12: 'changeit' }, two: { jks: 'other one' } };

const read = (secrets: Readonly<Record<string, Readonly<Record<string, string>>>>, namespace = 'team') =>
  readStorePasswords({ namespace, spec }, async (_, name) => {
    const data = secrets[name];
    return (
      data && {
        data: Object.fromEntries(
          Object.entries(data).map(([key, text]) => [key, Buffer.from(text).toString('base64')]),
        ),
      }
    );
  });

test('a certificate without key stores has none, and asks for no Secret', async () => {
  const readSecret = () => Promise.reject(new Error('read'));
  assert.is(await readStorePasswords({ namespace: 'team', spec: { outputs: NO_OUTPUTS } }, readSecret), undefined);
  assert.equal(passwordSecretsOf(spec), ['one', 'two']);
});

test('each store has its own, and no text of the object holds one', async () => {
  const found = await read(GOOD);
  assert.ok(found !== undefined && 'tag' in found);
  assert.equal([found.of(pkcs12), found.of(jks)], ['changeit', 'other one']);
  assert.not.match(JSON.stringify(found), /changeit|other one/);
});

test('what stands for the passwords changes with each of them, and with the place where they are', async () => {
  const tag = async (secrets: Parameters<typeof read>[0], namespace?: string) => {
    const found = await read(secrets, namespace);
    assert.ok(found !== undefined && 'tag' in found);
    return found.tag;
  };
  const first = await tag(GOOD);
  assert.is(await tag({ ...GOOD, other: {} }), first);
  assert.is.not(await tag({ ...GOOD, two: { jks: 'another one' } }), first);
  assert.is.not(await tag({ ...GOOD, one: { p12: 'changeit!' } }), first);
  assert.is.not(await tag(GOOD, 'other'), first);
});

for (const [what, one, message] of [
  [
    'whose Secret is missing',
    undefined,
    /^Secret team\/one does not exist; create it, for example: openssl rand -hex 24 /,
  ],
  [
    'whose key is missing',
    {},
    /^Secret team\/one, key p12: there is no password; set another one, for example: openssl /,
  ],
  [
    'that is empty',
    { p12: '' },
    /^Secret team\/one, key p12: the password is empty; set another one, for example: openssl /,
  ],
  ['that is not ASCII', { p12: 'geheimnisträger' }, /^Secret team\/one, key p12: .* not printable ASCII/],
  ['with a line break', { p12: 'changeit\n' }, /^Secret team\/one, key p12: the password ends with a line break/],
] as const)
  test(`a password ${what} is refused, naming the reference and nothing of the password`, async () => {
    const found = await read({ ...GOOD, one } as typeof GOOD);
    assert.ok(found !== undefined && 'problem' in found);
    assert.match(found.problem, message);
    assert.not.match(found.problem, /geheim|changeit/);
  });

test.run();

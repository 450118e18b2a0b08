import { generateKeyPairSync } from 'node:crypto';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { FakeClock } from '../../../test/unit/fake-clock.ts';
import { AuthorityError } from '../../errors.ts';
import { byKeyFile, readKeyFile, selfSignedToken } from './key-file.ts';

const pemOf = (key: ReturnType<typeof generateKeyPairSync>['privateKey']) =>
  (key as never as { export(options: object): string }).export({ type: 'pkcs8', format: 'pem' });
const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
const GOOD = {
  type: 'service_account',
  private_key_id: 'abc123',
  private_key: pemOf(privateKey),
  client_email: 'certwheel@p-1.iam.gserviceaccount.com',
  token_uri: 'https://evil.example/token',
};
const read = (change: object) =>
  readKeyFile(JSON.stringify({ ...GOOD, ...change }), 'Secret shop/google, key key.json');

test('of a key file the address, the key and its id are used', () => {
  const { email, keyId } = read({});
  assert.equal([email, keyId], [GOOD.client_email, GOOD.private_key_id]);
});

const BAD: Readonly<Record<string, [object, RegExp]>> = {
  'of another type': [{ type: 'authorized_user' }, /its type is not service_account/],
  'that names URLs for tokens': [{ type: 'external_account' }, /use spec\.googleCAS\.auth\.workloadIdentity/],
  'of another universe': [{ universe_domain: 'evil.example' }, /its universe_domain is not googleapis\.com/],
  'whose address is none': [{ client_email: 'a b@c"' }, /its client_email is no address/],
  'without the id of its key': [{ private_key_id: 7 }, /its private_key_id is missing/],
  'without a key': [{ private_key: undefined }, /its private_key is unreadable/],
  'with a key of another kind': [
    { private_key: pemOf(generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey) },
    /its private_key is no RSA key of Google/,
  ],
};
for (const [what, [change, says]] of Object.entries(BAD))
  test(`a key file ${what} is refused by its place, and nothing of it is told`, () => {
    assert.throws(
      () => read(change),
      (thrown: AuthorityError) => {
        assert.instance(thrown, AuthorityError);
        assert.is(thrown.code, 'CredentialsRefused');
        assert.match(thrown.message, says);
        assert.match(thrown.message, /^Secret shop\/google, key key\.json: .*keys create key\.json/);
        assert.not.match(thrown.message, /PRIVATE|evil/);
        return true;
      },
    );
  });

test('a token is for one API and one hour', () => {
  const token = selfSignedToken(read({}), new Date('2026-06-01T12:00:00.900Z'));
  const [header, claims] = token.split('.').map((part) => Buffer.from(part, 'base64url').toString());
  assert.equal(JSON.parse(header ?? ''), { alg: 'RS256', typ: 'JWT', kid: 'abc123' });
  const iat = Date.parse('2026-06-01T12:00:00Z') / 1_000;
  const email = GOOD.client_email;
  const aud = 'https://privateca.googleapis.com/';
  assert.equal(JSON.parse(claims ?? ''), { iss: email, sub: email, aud, exp: iat + 3_600, iat });
});

test('a Secret that is missing, lacks the key or is too large is named', async () => {
  const credential = (content?: Readonly<Record<string, Buffer>>) =>
    byKeyFile(
      { name: 'google', key: 'key.json' },
      { secret: async () => content, objects: { namespace: 'shop' } as never, clock: new FakeClock(new Date()) },
    )
      .credential()
      .catch((error: Error) => error.message);
  assert.match(await credential(), /kubectl create secret generic -n shop google --from-file=key\.json=key\.json/);
  assert.match(await credential({}), /Secret google in namespace shop has no key key\.json/);
  assert.match(await credential({ 'key.json': Buffer.alloc(20_000) }), /more than 16384 bytes/);
});

test.run();

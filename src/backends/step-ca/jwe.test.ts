import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { CONTENT_KEY_BYTES, type JweWish, sealWithPassword, WRAPS } from '../../../test/unit/sealed-jwe.ts';
import { JweError, openWithPassword } from './jwe.ts';

const PASSWORD = Buffer.from('correct horse');

/** What `step crypto jwk create` of step 0.30.2 wrote, with the password "password of certwheel". */
const BY_STEP = {
  protected:
    'eyJhbGciOiJQQkVTMi1IUzI1NitBMTI4S1ciLCJjdHkiOiJqd2sranNvbiIsImVuYyI6IkEyNTZHQ00iLCJwMmMiOjYwMDAwMCwicDJzIjoiTU5WdEIzMXZRSGQ5bm9lZ1V3UjJ6QSJ9',
  encrypted_key: 'WBuhu2C5HTq08q2WzD-aB9n8yyP1W4ilocQBaX34c3MpzvwCtTgVdw',
  iv: 'QNeWOm3Kin1P32Z-',
  ciphertext:
    '4LaHrR7sTomwO5LAmffS3wu25yIi-aCVa1UJ5_2jj2DxnINTt_Pn54dRrRBwu5LnpKBWBRI18QPdvVUOpgk7kGgCtyBc65zmKUATDzfuZ__DB3BHbuE1aq1qAH6OgDxbhchyRmf7s3xquLrMuTjZ22nThlitwY1EvXUgAlCrKdThu0IDJjjKWm6dKiHy7CrrimMUGywDx-39Ro3-rmc7NRX647Wkcyefhmr9Um3juNzHYan37H3b7T6PrtIJYxNVd6gkaPQWHa1ewTIgXLMmkh_8PE_STeqAod4flsl7cL6BwJtFNw9ikOAT0gkO7ioFtOmkC18Q5RSuTysiWT0',
  tag: 'ny5MEIdTf0an8JXXuNkcYQ',
};

function sealed(content: string, wish?: JweWish): string {
  return sealWithPassword(content, PASSWORD, wish);
}

test('what the step CLI has written is opened', async () => {
  const jwk = JSON.parse(
    (await openWithPassword(JSON.stringify(BY_STEP), Buffer.from('password of certwheel'))).toString(),
  );
  assert.equal(
    [jwk.kty, jwk.crv, jwk.kid, typeof jwk.d],
    ['EC', 'P-256', 'z1cfXl651jKz2u0CLzDVVe1JaNwLGBqJXpqhmLGN7-o', 'string'],
  );
});

for (const alg of WRAPS.keys()) {
  for (const enc of CONTENT_KEY_BYTES.keys()) {
    test(`${alg} with ${enc} is opened`, async () => {
      assert.is((await openWithPassword(sealed('content', { alg, enc }), PASSWORD)).toString(), 'content');
    });
  }
}

const good = sealed('content');
/** Another first byte in one of the parts. */
function changed(text: string, part: number): string {
  const parts = text.split('.');
  const bytes = Buffer.from(parts[part] ?? '', 'base64url');
  bytes[0] = (bytes[0] ?? 0) ^ 1;
  return parts.with(part, bytes.toString('base64url')).join('.');
}

const REFUSED: Readonly<Record<string, { text: string; password?: Buffer; says: string }>> = {
  'another password': { text: good, password: Buffer.from('wrong'), says: "the password doesn't open it" },
  'a changed content': { text: changed(good, 3), says: "the password doesn't open it" },
  'a changed tag': { text: changed(good, 4), says: "the password doesn't open it" },
  'four parts': { text: good.split('.').slice(1).join('.'), says: 'it is no JWE' },
  'a key that is not encrypted': { text: '{"kty":"EC","d":"secret"}', says: 'it is no JWE' },
  nothing: { text: '', says: 'it is no JWE' },
  'a header that is no JSON': { text: 'e30x.a.b.c.d', says: 'it is no JWE' },
  'another kind of encryption': { text: sealed('x', { alg: 'RSA-OAEP' }), says: 'it must be encrypted with PBES2' },
  'a name that every object has': {
    text: sealed('x', { alg: 'constructor' }),
    says: 'it must be encrypted with PBES2',
  },
  'rounds for hours': { text: sealed('x', { p2c: 1_000_001 }), says: 'p2c from 1 to 1000000' },
  'rounds that are no number': { text: sealed('x', { p2c: '1000' }), says: 'p2c from 1 to 1000000' },
  'a long text': { text: 'x'.repeat(20_000), says: 'longer than 16384 characters' },
};

for (const [name, { text, password = PASSWORD, says }] of Object.entries(REFUSED)) {
  test(`${name} is refused, without being quoted`, async () => {
    const error = await openWithPassword(text, password).then(
      () => undefined,
      (thrown: unknown) => thrown,
    );
    assert.instance(error, JweError);
    assert.match(String(error), says);
    assert.not.match(String(error), 'secret');
  });
}

test.run();

import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { keyReference, parseKeyReference, parsePkcs11Uri, UriError } from './uri.ts';

function refusal(uri: string): string {
  try {
    parsePkcs11Uri(uri);
  } catch (error) {
    assert.instance(error, UriError);
    return (error as Error).message;
  }
  throw new Error(`${uri} was taken`);
}

test('the token is chosen by its fields, and the key by label and id, which is bytes', () => {
  assert.equal(
    parsePkcs11Uri(
      'pkcs11:token=The%20Software%20PKCS%2311%20Softtoken;manufacturer=Snake%20Oil,%20Inc.;model=1.0;object=my-key;type=private;id=%69%95%3E%5C%F4%BD%EC%91',
    ),
    {
      token: { token: 'The Software PKCS#11 Softtoken', manufacturer: 'Snake Oil, Inc.', model: '1.0' },
      key: { object: 'my-key', id: '69953e5cf4bdec91' },
    },
  );
  assert.equal(parsePkcs11Uri('pkcs11:serial=9f%3B;id=AB').key, { id: '4142' });
  assert.equal(parsePkcs11Uri('pkcs11:serial=9f%3B;id=AB').token, { serial: '9f;' });
  assert.equal(parsePkcs11Uri('pkcs11:token=%C3%BC;object=a').token, { token: 'ü' });
});

test('what belongs to the operator, or is secret, is refused, and no value of it is repeated', () => {
  assert.match(refusal('pkcs11:token=a;object=b?pin-value=4711'), 'a PIN does not belong in a spec');
  assert.not.match(refusal('pkcs11:token=a;object=b?pin-value=4711'), '4711');
  assert.match(refusal('pkcs11:token=a;object=b?module-path=/tmp/x.so'), 'the operator chooses the library');
  assert.match(refusal('pkcs11:token=a;object=b?module-name=x&pin-source=file:/pin'), 'the operator chooses');
  assert.match(refusal('pkcs11:token=a;object=b;pin-value=4711'), 'a PIN does not belong in a spec');
  assert.match(refusal('pkcs11:token=a;object=b;slot-id=1'), 'slot numbers change');
});

test('a URI that chooses no token or no private key is refused', () => {
  assert.match(refusal('pkcs11:'), 'neither token nor serial');
  assert.match(refusal('pkcs11:object=b'), 'neither token nor serial');
  assert.match(refusal('pkcs11:token=a'), 'neither object nor id');
  assert.match(refusal('pkcs11:token=a;object=b;type=cert'), 'another type than private');
  assert.match(refusal('pkcs11:token=a;token=b;object=c'), 'token twice');
  assert.match(refusal('pkcs11:token=a;object='), 'an empty object');
  assert.match(refusal('pkcs11:token=a;object=b;x-vendor=1'), '"x-vendor"');
  assert.match(refusal('http://example.com'), 'does not begin with pkcs11:');
});

test('bytes that RFC 7512 has encoded are refused, and so is what is no UTF-8 where text belongs', () => {
  assert.match(refusal('pkcs11:token=a b;object=c'), 'percent-encoded');
  assert.match(refusal('pkcs11:token=a%2;object=c'), 'percent-encoded');
  assert.match(refusal('pkcs11:token=%FF;object=c'), 'not UTF-8');
  assert.match(refusal('pkcs11:token=a%00;object=c'), 'control character');
  assert.equal(parsePkcs11Uri('pkcs11:token=a;id=%FF%00').key, { id: 'ff00' });
});

test('a key is named the same however its URI is written, and is read back', () => {
  const ways = ['pkcs11:token=a;object=ca%2Dv1;id=%30%31', 'pkcs11:id=01;type=private;token=b;object=ca-v1'];
  assert.equal(
    ways.map((uri) => keyReference(parsePkcs11Uri(uri).key)),
    ['pkcs11:object=ca-v1;id=01', 'pkcs11:object=ca-v1;id=01'],
  );
  const key = { object: 'ü;=%', id: 'ff007e' };
  assert.equal(parseKeyReference(keyReference(key)), key);
});

test('every byte survives, and no reference is longer than the URI', () => {
  const bytes = Array.from({ length: 256 }, (_, byte) => byte);
  const id = bytes.map((byte) => `%${byte.toString(16).padStart(2, '0')}`).join('');
  assert.equal(parseKeyReference(keyReference(parsePkcs11Uri(`pkcs11:token=a;id=${id}`).key)), {
    id: Buffer.from(bytes).toString('hex'),
  });
  // What RFC 7512 allows to stand unescaped, at the length that the schema allows.
  const longest = `pkcs11:serial=1;object=${"(:[]@!$'()*+,=&-._~)".repeat(9)}`.slice(0, 200);
  const { key } = parsePkcs11Uri(longest);
  assert.ok(keyReference(key).length <= 200 && longest.includes(keyReference(key).slice('pkcs11:'.length)));
  assert.equal(parseKeyReference(keyReference(key)), key);
});

test.run();

import { randomBytes } from 'node:crypto';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { leaf, NOW, root } from '../../../test/pki/make.ts';
import { encodeJks, encodeJksTrustStore } from './jks.ts';

const ca = await root();
const client = await leaf(ca);
const certificates = [ca.certificate.der];
const entry = {
  privateKeyPkcs8: client.key.export({ type: 'pkcs8', format: 'der' }),
  chain: [client.certificate.der],
  alias: 'My Größe',
  password: 'changeit',
  now: NOW,
};

test('the head has the format, the version, the number and the kind of the entries, the alias and the date', () => {
  const store = encodeJks({ ...entry, randomBytes });
  assert.is(store.subarray(0, 16).toString('hex'), 'feedfeed000000020000000100000001');
  // In lower case, since Java looks for nothing else.
  assert.is(store.subarray(16, 28).toString(), '\0\x0amy größe');
  assert.is(Number(store.readBigInt64BE(28)), NOW.getTime());
  const trust = encodeJksTrustStore({ certificates: [...certificates, ...certificates], password: 'p', now: NOW });
  assert.is(trust.subarray(0, 20).toString('hex'), 'feedfeed0000000200000002000000020002' + '6361');
});

test('the bytes follow from the arguments', () => {
  const fixed = (size: number) => Buffer.alloc(size, 7);
  assert.equal(encodeJks({ ...entry, randomBytes: fixed }), encodeJks({ ...entry, randomBytes: fixed }));
  assert.not.equal(encodeJks({ ...entry, randomBytes }), encodeJks({ ...entry, randomBytes }));
  const trust = { certificates, password: 'changeit', now: NOW };
  assert.equal(encodeJksTrustStore(trust), encodeJksTrustStore(trust));
});

test('nothing of the private number is in the store', () => {
  const { d = '' } = client.key.export({ format: 'jwk' });
  const store = encodeJks({ ...entry, randomBytes });
  const number = Buffer.from(d, 'base64url');
  assert.ok(entry.privateKeyPkcs8.includes(number));
  for (let at = 0; at + 4 <= number.length; at += 1) assert.is(store.indexOf(number.subarray(at, at + 4)), -1);
});

test('what some reader cannot take is refused', () => {
  assert.throws(() => encodeJks({ ...entry, alias: '', randomBytes }), /alias is empty/);
  assert.throws(() => encodeJks({ ...entry, chain: [], randomBytes }), /without a certificate/);
  assert.throws(() => encodeJks({ ...entry, password: 'é', randomBytes }), /not printable ASCII/);
  assert.throws(() => encodeJksTrustStore({ certificates, password: '', now: NOW }), /password is empty/);
  assert.throws(() => encodeJksTrustStore({ certificates: [], password: 'p', now: NOW }), /without a certificate/);
});

test.run();

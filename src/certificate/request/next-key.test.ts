import { createPublicKey } from 'node:crypto';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { aClientsOwn, aRequest } from '../../../test/unit/client-requests.ts';
import { generateKey } from '../../pki/keys.ts';
import { isRequestId, keptKey, newRequestId, requestId } from './next-key.ts';

const UID = '0b7e5a3c-1d2e-4f60-8a9b-0c1d2e3f4a5b';
const key = await generateKey({ algorithm: 'ECDSA', size: 256 });
const publicKey = createPublicKey(key);

test('a request over a new key has the id of that key, one over the key of a client another id each time', () => {
  assert.is(newRequestId(UID, 'wanted', key, 0.5), requestId(UID, 'wanted', key));
  const ids = [0, 0.5, 1 - 2 ** -32].map((chance) => newRequestId(UID, 'wanted', publicKey, chance));
  assert.is(new Set(ids).size, 3);
  for (const id of ids) {
    assert.match(id, /^[0-9a-z-]{1,63}$/);
    assert.ok(isRequestId(id, UID, 'wanted', publicKey));
    assert.not(isRequestId(id, UID, 'another', publicKey));
    assert.not(isRequestId(id, UID, 'wanted', key));
  }
});

test('an id that a tenant has made up is none, since it becomes part of names and paths', () => {
  const own = requestId(UID, 'wanted', publicKey);
  for (const forged of ['-', '/../secrets', '-0000000', '-000000000', '-0000000G', `-00000000/${own}`, '-00000000\n'])
    assert.not(isRequestId(`${own}${forged}`, UID, 'wanted', publicKey), JSON.stringify(forged));
});

test('the key that goes on with a request is the one that its client has now', () => {
  const { spec } = aClientsOwn(aRequest({ publicKey }));
  const next = { certificateUid: UID, wanted: 'wanted', id: newRequestId(UID, 'wanted', publicKey, 0.5) } as never;
  assert.is(keptKey({}, next, spec), publicKey);
  const other = aClientsOwn(aRequest());
  assert.is(keptKey({}, next, other.spec), undefined);
  // A key that stands in the Secret isn't looked at.
  const pem = key.export({ type: 'pkcs8', format: 'pem' }).toString();
  assert.is(keptKey({ data: { 'tls.key': Buffer.from(pem).toString('base64') } }, next, other.spec), undefined);
});

test.run();

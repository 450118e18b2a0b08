/** OpenSSL, Go and Python's cryptography verify the certificate requests of Certwheel, and read what was asked for. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { CSR_LABEL, makeCsr } from '../../src/pki/csr.ts';
import { publicKeyDer, publicKeyPin } from '../../src/pki/keys.ts';
import { toPem } from '../../src/pki/pem.ts';
import { lazily } from '../e2e/support/lazily.ts';
import { describe } from '../pki/make.ts';
import { openssl } from '../pki/openssl.ts';
import { KEYS, keyOf, type LeafWish, requestedBy } from './grid/authorities.ts';
import { IDENTITIES } from './grid/identities.ts';
import { startReaders } from './readers/readers.ts';
import { requestExpectation, requestFields } from './readers/request.ts';

const readers = lazily(startReaders);
test.after(readers.stop);

async function expectUnderstood(name: string, wish: LeafWish): Promise<void> {
  const { identity, key: spec } = requestedBy(wish);
  const key = await keyOf(spec);
  const der = makeCsr({ key, ...identity });
  const verified = openssl(['req', '-in', '{csr}', '-noout', '-verify'], { csr: toPem(CSR_LABEL, der) });
  assert.ok(verified.ok && verified.text.includes('verify OK'), `${name}: ${verified.text}`);
  const expected = requestExpectation(identity, publicKeyPin(publicKeyDer(key)));
  const answers = await (await readers.get()).readRequest(der);
  for (const [reader, answer] of Object.entries(answers))
    assert.equal(requestFields(answer), expected, `${name}, read by ${reader}`);
}

for (const key of KEYS) {
  test(`a request with an ${describe(key)} key and names of all kinds is verified and read`, async () => {
    const [all] = IDENTITIES.filter(({ name }) => name === 'a common name and names of all kinds');
    const [fields] = IDENTITIES.filter(({ name }) => name === 'all fields');
    await expectUnderstood('all names', { ...all?.spec, ...fields?.spec, privateKey: key });
  });
}

test('each identity, and usages besides, are verified and read', async () => {
  for (const [at, { name, spec }] of IDENTITIES.entries()) {
    const usages: LeafWish['usages'] =
      at % 2 === 0 ? ['client auth'] : ['digital signature', 'client auth', 'server auth'];
    await expectUnderstood(name, { ...spec, usages });
  }
});

test('a request that was altered is refused by all', async () => {
  const { identity } = requestedBy({ commonName: 'client' });
  const der = makeCsr({ key: await keyOf({ algorithm: 'ECDSA', size: 256 }), ...identity });
  der.write('cliEnt', der.indexOf('client'), 'latin1');
  const { ok, text } = openssl(['req', '-in', '{csr}', '-noout', '-verify'], { csr: toPem(CSR_LABEL, der) });
  assert.not.ok(ok && text.includes('verify OK'), text);
  for (const answer of Object.values(await (await readers.get()).readRequest(der)))
    assert.match((answer as { refused?: string }).refused ?? 'accepted', /signature|verification/);
});

test.run();

import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { ALL_KEYS, describe } from '../../test/pki/make.ts';
import { openssl } from '../../test/pki/openssl.ts';
import { CSR_LABEL, makeCsr } from './csr.ts';
import { generateKey, publicKeyDer } from './keys.ts';
import { toPem } from './pem.ts';
import { NO_NAMES } from './san.ts';
import { x509 } from './x509.ts';

const NAMES = {
  dnsNames: ['a.example'],
  uris: ['spiffe://td.example/a'],
  emailAddresses: ['a@example.com'],
  ipAddresses: ['2001:db8::1'],
};
const USAGES = ['digital signature', 'client auth'];

for (const spec of ALL_KEYS) {
  test(`openssl and @peculiar/x509 accept a request with an ${describe(spec)} key`, async () => {
    const key = await generateKey(spec);
    const der = makeCsr({
      key,
      subject: { commonName: 'Jürgen', organizations: ['a,O=b'] },
      names: NAMES,
      usages: USAGES,
    });
    const { ok, text } = openssl(
      ['req', '-in', '{csr}', '-noout', '-text', '-verify', '-nameopt', 'RFC2253,utf8,-esc_msb'],
      { csr: toPem(CSR_LABEL, der) },
    );
    assert.ok(ok, text);
    assert.match(text, 'self-signature verify OK');
    for (const line of [
      'CN=Jürgen,O=a\\,O=b',
      'DNS:a.example, email:a@example.com, URI:spiffe://td.example/a, IP Address:2001:DB8:0:0:0:0:0:1',
      'Digital Signature',
      'TLS Web Client Authentication',
    ]) {
      assert.match(text, line);
    }
    const oracle = new x509.Pkcs10CertificateRequest(der);
    assert.ok(await oracle.verify());
    assert.is(Buffer.from(oracle.publicKey.rawData).toString('hex'), publicKeyDer(key).toString('hex'));
    assert.is(oracle.extensions.length, 3);
  });
}

test('a request that asks for no extension still has its empty attributes', async () => {
  const key = await generateKey({ algorithm: 'ECDSA', size: 256 });
  const der = makeCsr({ key, subject: { commonName: 'a' }, names: NO_NAMES, usages: [] });
  assert.ok(der.includes(Buffer.concat([publicKeyDer(key), Buffer.from('a000', 'hex')])));
  assert.ok(openssl(['req', '-in', '{csr}', '-noout', '-verify'], { csr: toPem(CSR_LABEL, der) }).ok);
});

test('the alternative name is critical if the subject is empty', async () => {
  const key = await generateKey({ algorithm: 'ECDSA', size: 256 });
  const der = makeCsr({ key, subject: {}, names: { ...NO_NAMES, dnsNames: ['a.b'] }, usages: [] });
  assert.ok(der.includes(Buffer.from('30110603551d110101ff040730058203612e62', 'hex')));
});

test('an identity that a CSR can not carry is refused', async () => {
  const key = await generateKey({ algorithm: 'ECDSA', size: 256 });
  assert.throws(() => makeCsr({ key, subject: { countries: ['X'] }, names: NO_NAMES, usages: [] }), /countries/);
});

test.run();

import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { ALL_KEYS, describe, HOUR, leaf, NOW, root } from '../../test/pki/make.ts';
import { openssl } from '../../test/pki/openssl.ts';
import { verifySignature } from './certificate.ts';
import { generateKey, publicKeyDer } from './keys.ts';
import { x509 } from './x509.ts';

const ca = await root();
const holders = await Promise.all(
  ALL_KEYS.map(async (spec) => ({ spec, ca: await root({ keySpec: spec }), key: await generateKey(spec) })),
);
const NAMES = {
  dnsNames: ['client.example.com', '*.example.com'],
  uris: ['spiffe://td.example/ns/team/sa/client'],
  emailAddresses: ['client@example.com'],
  ipAddresses: ['192.0.2.7', '2001:db8::7'],
};
const SUBJECT = {
  commonName: 'Jürgen 日本 🔑',
  organizations: ['Ä & Co, KG'],
  countries: ['DE'],
  serialNumber: '42',
  localities: ['Köln'],
};

const ATTIME = ['-attime', String(NOW.getTime() / 1000)];
for (const issuer of holders) {
  test(`openssl and @peculiar/x509 accept every kind of leaf below a CA with an ${describe(issuer.spec)} key`, async () => {
    for (const { spec, key } of holders) {
      const { certificate } = await leaf(issuer.ca, {
        key,
        publicKeyDer: publicKeyDer(key),
        subject: SUBJECT,
        names: NAMES,
      });
      const files = { ca: issuer.ca.certificate.pem, leaf: certificate.pem };
      const verified = openssl(
        ['verify', '-purpose', 'sslclient', '-x509_strict', ...ATTIME, '-CAfile', '{ca}', '{leaf}'],
        files,
      );
      assert.ok(verified.ok, verified.text);
      assert.not.ok(openssl(['verify', '-purpose', 'sslserver', ...ATTIME, '-CAfile', '{ca}', '{leaf}'], files).ok);
      assert.equal(certificate.keySpec, spec);
      assert.ok(verifySignature(certificate, issuer.ca.certificate));

      const oracle = new x509.X509Certificate(certificate.der);
      assert.ok(await oracle.verify({ publicKey: new x509.PublicKey(issuer.ca.certificate.publicKeyDer), date: NOW }));
    }
  });
}

test('openssl prints what was asked for', async () => {
  const { certificate } = await leaf(ca, { subject: SUBJECT, names: NAMES });
  const { text } = openssl(['x509', '-in', '{leaf}', '-noout', '-text', '-nameopt', 'RFC2253,utf8,-esc_msb'], {
    leaf: certificate.pem,
  });
  for (const line of [
    'Subject: CN=Jürgen 日本 🔑,serialNumber=42,O=Ä & Co\\, KG,L=Köln,C=DE',
    'DNS:client.example.com, DNS:*.example.com, email:client@example.com, URI:spiffe://td.example/ns/team/sa/client, IP Address:192.0.2.7, IP Address:2001:DB8:0:0:0:0:0:7',
    'CA:FALSE',
    'TLS Web Client Authentication',
    'Version: 3 (0x2)',
  ]) {
    assert.match(text, line);
  }
});

test('openssl reads and writes each certificate back to the same bytes', async () => {
  const { certificate } = await leaf(ca, { subject: SUBJECT, names: NAMES });
  for (const { pem } of [certificate, ca.certificate]) {
    assert.is(openssl(['x509', '-in', '{pem}'], { pem }).text, pem);
    assert.ok(openssl(['asn1parse', '-in', '{pem}'], { pem }).ok);
  }
});

test('what looks like more attributes stays one literal value, for openssl too', async () => {
  const { certificate } = await leaf(ca, { subject: { commonName: 'a,O=system:masters+OU=x/O=y\\' } });
  const { text } = openssl(['x509', '-in', '{leaf}', '-noout', '-subject', '-nameopt', 'multiline'], {
    leaf: certificate.pem,
  });
  assert.is(text.trim().split('\n').length, 2);
  assert.match(text, 'commonName                = a,O=system:masters+OU=x/O=y');
});

test('@peculiar/x509 reads the same out of whatever is written', async () => {
  const value = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 20 });
  const subjects = fc.record(
    { commonName: value, organizations: fc.array(value, { maxLength: 3 }) },
    { noNullPrototype: true },
  );
  const names = fc.record({
    dnsNames: fc.uniqueArray(fc.domain(), { maxLength: 3 }),
    uris: fc.constantFrom([], ['spiffe://td.example/a']),
    emailAddresses: fc.constantFrom([], ['a@example.com']),
    ipAddresses: fc.uniqueArray(fc.oneof(fc.ipV4(), fc.ipV6()), { maxLength: 3 }),
  });
  await fc.assert(
    fc.asyncProperty(subjects, names, fc.integer({ min: 1, max: 900 }), async (subject, asked, hours) => {
      const { certificate } = await leaf(ca, {
        subject,
        names: asked,
        notAfter: new Date(NOW.getTime() + hours * HOUR),
      });
      const oracle = new x509.X509Certificate(certificate.der);
      assert.equal(oracle.subjectName.getField('CN'), [subject.commonName]);
      assert.equal(oracle.subjectName.getField('O'), subject.organizations);
      assert.is(oracle.serialNumber, certificate.serialNumber);
      assert.equal([oracle.notBefore, oracle.notAfter], [certificate.notBefore, certificate.notAfter]);
      const san = oracle.getExtension(x509.SubjectAlternativeNameExtension)?.names.toJSON() ?? [];
      const of = (type: string) => san.filter((name) => name.type === type).map((name) => name.value);
      assert.equal(of('dns'), certificate.names.dnsNames);
      assert.equal(of('url'), certificate.names.uris);
      assert.equal(of('email'), certificate.names.emailAddresses);
      assert.is(of('ip').length, certificate.names.ipAddresses.length);
      assert.is(oracle.getExtension(x509.AuthorityKeyIdentifierExtension)?.keyId, ca.certificate.subjectKeyId);
      assert.is(oracle.getExtension(x509.SubjectKeyIdentifierExtension)?.keyId, certificate.subjectKeyId);
      assert.is(oracle.getExtension(x509.BasicConstraintsExtension)?.ca, false);
    }),
    { numRuns: 60 },
  );
});

test.run();

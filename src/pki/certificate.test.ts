import { X509Certificate } from 'node:crypto';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { leaf, root, signIntermediate } from '../../test/pki/make.ts';
import { opensslCertificate } from '../../test/pki/openssl.ts';
import { parseCertificate, parseCertificates, verifySignature, weakSignature } from './certificate.ts';
import { publicKeyDer } from './keys.ts';
import { parsePem } from './pem.ts';
import { isSelfSigned } from './signed-by.ts';

const ca = await root();
const NAMES = {
  dnsNames: ['a.example'],
  uris: ['spiffe://td.example/a'],
  emailAddresses: ['a@example.com'],
  ipAddresses: ['192.0.2.1'],
};
const client = await leaf(ca, { names: NAMES });

const EC = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256'];
const RSA = ['-newkey', 'rsa:2048'];

test('a view says what Node says', () => {
  for (const { certificate } of [ca, client]) {
    const node = new X509Certificate(certificate.pem);
    assert.is(certificate.serialNumber, node.serialNumber.toLowerCase());
    assert.is(certificate.fingerprintSHA256, node.fingerprint256.replaceAll(':', '').toLowerCase());
    assert.equal(certificate.notBefore, node.validFromDate);
    assert.equal(certificate.notAfter, node.validToDate);
    assert.is(certificate.isCA, node.ca);
    assert.ok(certificate.publicKeyDer.equals(publicKeyDer(node.publicKey)));
    assert.is(isSelfSigned(certificate), certificate === ca.certificate);
  }
});

test('a view holds what was asked for', () => {
  const { certificate } = client;
  assert.equal(certificate.subject, { commonName: 'client' });
  assert.equal(certificate.names, NAMES);
  assert.equal(certificate.usages, ['digital signature', 'client auth']);
  assert.is(certificate.subjectText, 'CN=client');
  assert.is(certificate.issuerText, 'O=Certwheel, CN=Test CA v1');
  assert.is(certificate.authorityKeyId, ca.certificate.subjectKeyId);
  assert.is(certificate.signatureAlgorithm, 'ecdsa-with-SHA256');
  assert.equal([certificate.isCA, certificate.certSign, certificate.pathLength], [false, false, undefined]);
  assert.equal([ca.certificate.isCA, ca.certificate.certSign], [true, true]);
});

test('PEM and DER give the same view', () => {
  const [block] = parsePem(client.certificate.pem);
  assert.ok(block);
  assert.equal(parseCertificate(block), parseCertificate(client.certificate.der));
  assert.equal(
    parseCertificates(client.certificate.pem + ca.certificate.pem).map(({ subjectText }) => subjectText),
    ['CN=client', 'O=Certwheel, CN=Test CA v1'],
  );
  assert.equal(parseCertificates(''), []);
  assert.throws(() => parseCertificate({ label: 'X509 CRL', der: block.der }), /X509 CRL where/);
});

test('certificates of other makers are read', () => {
  const extensions = [
    '-addext',
    'subjectAltName=DNS:a.b,IP:::1,otherName:1.2.3;UTF8:x',
    '-addext',
    'extendedKeyUsage=1.2.3.4,clientAuth',
  ];
  const [certificate] = parseCertificates(
    opensslCertificate(...EC, ...extensions, '-addext', 'basicConstraints=critical,CA:TRUE,pathlen:3'),
  );
  assert.ok(certificate !== undefined && isSelfSigned(certificate));
  assert.equal(certificate.names, { dnsNames: ['a.b'], uris: [], emailAddresses: [], ipAddresses: ['::1'] });
  assert.equal(certificate.foreignNames, ['otherName']);
  assert.equal(certificate.usages, ['1.2.3.4', 'client auth']);
  assert.equal([certificate.isCA, certificate.pathLength, certificate.certSign], [true, 3, undefined]);
});

test('each signature algorithm in use is verified, RSASSA-PSS too, and broken hashes are named', () => {
  const pss = ['-sigopt', 'rsa_padding_mode:pss', '-sigopt', 'rsa_pss_saltlen:digest'];
  const cases: [string[], string, boolean][] = [
    [[...RSA, '-sha256'], 'sha256WithRSAEncryption', true],
    [[...RSA, '-sha384'], 'sha384WithRSAEncryption', true],
    [[...RSA, '-sha512'], 'sha512WithRSAEncryption', true],
    [[...RSA, '-sha256', ...pss], 'RSASSA-PSS with sha256', true],
    [[...RSA, '-sha384', ...pss], 'RSASSA-PSS with sha384', true],
    [[...RSA, '-sha512', ...pss], 'RSASSA-PSS with sha512', true],
    [[...RSA, '-sha1', ...pss], '1.2.840.113549.1.1.10', false],
    [[...EC, '-sha512'], 'ecdsa-with-SHA512', true],
    [['-newkey', 'ed25519'], 'Ed25519', true],
  ];
  for (const [args, name, verifies] of cases) {
    const [certificate] = parseCertificates(opensslCertificate(...args));
    assert.ok(certificate);
    assert.equal(
      [certificate.signatureAlgorithm, isSelfSigned(certificate), weakSignature(certificate)],
      [name, verifies, undefined],
    );
  }
  for (const kind of [RSA, EC]) {
    const [weak] = parseCertificates(opensslCertificate(...kind, '-sha1'));
    assert.match((weak && weakSignature(weak)) ?? '', /SHA1|sha1/);
  }
});

test('a key of an unknown kind has no spec and verifies nothing', () => {
  for (const args of [
    ['-newkey', 'ed448'],
    ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:secp256k1'],
    [...EC, '-pkeyopt', 'ec_param_enc:explicit'],
  ]) {
    const [certificate] = parseCertificates(opensslCertificate(...args));
    assert.ok(certificate);
    assert.equal([certificate.keySpec, isSelfSigned(certificate)], [undefined, false]);
  }
});

test('a signature is that of one key over one content', async () => {
  const { certificate } = client;
  assert.ok(verifySignature(certificate, ca.certificate));
  assert.not.ok(verifySignature(certificate, (await root()).certificate));
  assert.not.ok(verifySignature(certificate, (await root({ keySpec: { algorithm: 'Ed25519' } })).certificate));
  const at = certificate.der.indexOf('client');
  const forged = Buffer.from(certificate.der);
  forged[at] = 'C'.charCodeAt(0);
  assert.not.ok(verifySignature(parseCertificate(forged), ca.certificate));
});

test('what is read does not depend on a prototype', async () => {
  const { certificate } = await signIntermediate(ca, { commonName: '__proto__' });
  assert.equal(certificate.subject, { commonName: '__proto__' });
});

test.run();

import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { leaf, root, signIntermediate } from '../../../test/pki/make.ts';
import type { RawObject } from '../../api/parse.ts';
import { occupation, purposeOf, reservationOf } from './protection.ts';

const ca = await root();
const below = await signIntermediate(ca);
const client = await leaf(ca);

function secretWith(pem: string, metadata: RawObject['metadata'] = {}): RawObject {
  return { metadata, data: { 'tls.crt': Buffer.from(pem).toString('base64') } };
}

const clientSecret = secretWith(client.certificate.pem + ca.certificate.pem);
const use = (field: string) => [{ authority: 'CertificateAuthority payments', field }];

test('a Secret with a client certificate has no other purpose, nor has one with anything else, or none', () => {
  for (const object of [
    clientSecret,
    secretWith('nothing'),
    secretWith(''),
    {},
    { data: { password: 'AAAA' } },
    undefined,
  ])
    assert.is(purposeOf(object, []), undefined);
});

test('a Secret that an authority refers to says for what', () => {
  const words: Record<string, string> = {
    secret: 'the CA',
    'kubernetesCSR.trustBundle.secret': 'a trust bundle',
    'vault.auth.tokenSecretRef': 'credentials',
  };
  for (const [field, what] of Object.entries(words))
    assert.is(purposeOf(clientSecret, use(field)), `holds ${what} of CertificateAuthority payments (spec.${field})`);
});

test('the name of a Secret that is to hold a CA or credentials is taken, that of a trust bundle is not', () => {
  for (const field of ['secret', 'stepCA.provisioner.secretRef'])
    assert.match(purposeOf(undefined, use(field)) ?? '', 'is to hold');
  assert.is(purposeOf(undefined, use('certManager.trustBundle.secret')), undefined);
  const both = [...use('certManager.trustBundle.secret'), ...use('secret')];
  assert.match(purposeOf(undefined, both) ?? '', 'is to hold the CA');
});

test('the name of a certificate that an authority logs in with stays free for a ClientCertificate', () => {
  for (const field of ['vault.auth.cert.secretRef', 'stepCA.provisioner.x5c.secretRef']) {
    assert.is(purposeOf(undefined, use(field)), undefined);
    // One that others have put there is not taken over.
    assert.match(purposeOf(clientSecret, use(field)) ?? '', 'holds credentials of');
  }
  for (const field of [
    'vault.auth.jwt.secretRef',
    'vault.auth.aws.credentials.secretRef',
    'stepCA.provisioner.k8sSA.secretRef',
  ])
    assert.match(purposeOf(undefined, use(field)) ?? '', 'is to hold credentials');
});

test('a CA certificate is known by itself, whether a root or an intermediate', () => {
  for (const { certificate } of [ca, below])
    assert.is(purposeOf(secretWith(certificate.pem), []), 'holds a CA certificate');
});

test('marks of a generation and of a key that waits count before anything else', () => {
  const labels = { 'certwheel.io/authority-name': 'ca', 'certwheel.io/authority-kind': 'ClusterCertificateAuthority' };
  const generation = secretWith(ca.certificate.pem, { labels });
  assert.is(purposeOf(generation, use('secret')), 'holds a CA generation of ClusterCertificateAuthority ca');
  const waiting = secretWith('', { labels: { 'certwheel.io/next-of': 'alice' } });
  assert.match(purposeOf(waiting, []) ?? '', 'keeps the key of ClientCertificate alice');
  const ledger = secretWith('', {
    labels: { 'certwheel.io/ledger-of': 'ca', 'certwheel.io/authority-kind': 'CertificateAuthority' },
  });
  assert.is(purposeOf(ledger, []), 'keeps the ledgers of CertificateAuthority ca');
  const register = secretWith('', {
    labels: { 'certwheel.io/revocations-of': 'ca', 'certwheel.io/authority-kind': 'CertificateAuthority' },
  });
  assert.is(purposeOf(register, []), 'keeps what CertificateAuthority ca revokes');
  const sources = secretWith('', {
    labels: { 'certwheel.io/trust-sources-of': 'ca', 'certwheel.io/authority-kind': 'CertificateAuthority' },
  });
  assert.match(purposeOf(sources, []) ?? '', 'keeps what the trust sources of CertificateAuthority ca served last');
  const books = secretWith('', { labels: { 'certwheel.io/books': 'key' } });
  assert.is(purposeOf(books, []), 'keeps the key of the books of Certwheel');
  const account = secretWith('', {
    labels: { 'certwheel.io/acme-account-of': 'ca', 'certwheel.io/authority-kind': 'CertificateAuthority' },
  });
  assert.is(purposeOf(account, []), 'keeps the ACME account of CertificateAuthority ca');
  const request = secretWith('', {
    labels: { 'certwheel.io/ca-request-of': 'ca', 'certwheel.io/authority-kind': 'CertificateAuthority' },
  });
  assert.is(purposeOf(request, []), 'keeps the key of the next CA of CertificateAuthority ca');
});

test('names of what Certwheel keeps of authorities are reserved, and that of a key whose certificate there is', () => {
  const isCertificate = (name: string) => name === 'alice';
  for (const name of [
    'ca-ca-v1',
    'x-clusterca-v12',
    'a.b-ca-v3',
    'ca-ca-ledger',
    'ca-ca-acme-account',
    'ca-clusterca-acme-account',
    'x-clusterca-ledger',
    'ca-ca-sources',
    'ca-ca-fallback',
    'ca-ca-request',
  ])
    assert.match(reservationOf(name, isCertificate) ?? '', 'reserved for what Certwheel keeps of authorities');
  assert.match(reservationOf('alice-next', isCertificate) ?? '', 'keeps the key of ClientCertificate alice');
  for (const name of [
    'bob-next',
    'alice',
    'ca-v1',
    'ca-ca-v0',
    'ca-ca-v01',
    'ca-ca-v1-tls',
    'web-ca-vault',
    '-next',
    'ca-ledger',
    'web-ca-ledgers',
    'ca-sources',
    'ca-fallback',
  ])
    assert.is(reservationOf(name, isCertificate), undefined, name);
});

test('a Secret under a name that Certwheel needs is described by its marks', () => {
  const labels = { 'certwheel.io/certificate-name': 'alice' };
  const annotations = { 'certwheel.io/certificate-uid': '1' };
  assert.is(occupation(secretWith('', { labels, annotations }), undefined), 'was written for ClientCertificate alice');
  assert.is(occupation(secretWith('', { labels }), undefined), undefined);
  assert.is(occupation(secretWith('', { labels, annotations }), 'holds the CA'), 'holds the CA');
});

test.run();

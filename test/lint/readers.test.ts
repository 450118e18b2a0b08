/**
 * Certwheel's parser, Node, OpenSSL, Go and Python's cryptography read the same out of random certificates. LINT_SEED says
 * where to begin; without it the same 500 are read each time. The long form has new ones.
 */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { parseCertificate } from '../../src/pki/certificate.ts';
import { lazily } from '../e2e/support/lazily.ts';
import { leaf, root } from '../pki/make.ts';
import { numberFrom } from '../pki/repeat.ts';
import { expectAgreement } from './random/report.ts';
import { differences } from './readers/compare.ts';
import { startReaders } from './readers/readers.ts';

const readers = lazily(startReaders);
test.after(readers.stop);

test('all read the same out of 500 random certificates', async () => {
  await expectAgreement(await readers.get(), numberFrom('LINT_SEED') ?? 20_261_129, 500);
});

const { certificate } = await leaf(await root(), {
  names: {
    dnsNames: ['a.example'],
    uris: ['spiffe://a.example/b'],
    emailAddresses: ['a@b.example'],
    ipAddresses: ['::1'],
  },
});

test('a reader that reads one field otherwise, or not at all, is found', async () => {
  const answers = await (await readers.get()).read(certificate.der);
  assert.equal(differences(certificate.der, answers, parseCertificate), []);
  for (const name of ['go', 'python'] as const) {
    for (const field of Object.keys(answers[name])) {
      for (const value of ['misread', undefined]) {
        const altered = { ...answers, [name]: { ...answers[name], [field]: value } };
        const kinds = differences(certificate.der, altered, parseCertificate).map(({ kind }) => kind);
        assert.equal(kinds, [`${name}: ${field}`]);
      }
    }
  }
});

test('a parser of ours that reads one field otherwise is found', async () => {
  const answers = await (await readers.get()).read(certificate.der);
  const misread = {
    serialNumber: '42',
    subject: { commonName: 'other' },
    foreignAttributes: ['O=other'],
    notBefore: new Date(0),
    notAfter: new Date(0),
    publicKeyPin: '',
    keySpec: undefined,
    signatureAlgorithm: 'Ed25519',
    names: { ...certificate.names, ipAddresses: ['::2'] },
    foreignNames: ['otherName'],
    usages: ['client auth'],
    isCA: true,
    pathLength: 1,
    certSign: undefined,
    subjectKeyId: undefined,
    authorityKeyId: undefined,
    criticalNames: true,
    basicConstraintsCritical: false,
    criticalKeyIds: true,
    unknownCritical: ['1.2.3'],
  };
  for (const [field, value] of Object.entries(misread)) {
    const found = differences(certificate.der, answers, (der) => ({ ...parseCertificate(der), [field]: value }));
    assert.is(found.length, 1, `${field}: ${JSON.stringify(found)}`);
  }
});

test.run();

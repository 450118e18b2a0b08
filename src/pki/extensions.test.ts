import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { makePath } from '../../test/pki/constrained.ts';
import { hoursFromNow, leaf, NOW, root, serial } from '../../test/pki/make.ts';
import { writeCertificate } from '../../test/pki/write-certificate.ts';
import {
  dirName,
  extension,
  inhibitAnyPolicy,
  nameConstraints,
  policies,
  policyConstraints,
  policyMappings,
} from '../../test/pki/write-extensions.ts';
import { implicit, sequence, tlv } from './asn1/write.ts';
import { type CertificateView, parseCertificate } from './certificate.ts';
import { publicKeyDer } from './keys.ts';
import { encodeName } from './name.ts';

const ca = await root();

function withExtensions(...extensions: Buffer[]): CertificateView {
  const name = encodeName({ commonName: 'x' });
  const der = writeCertificate({
    notBefore: NOW,
    notAfter: hoursFromNow(1),
    serialNumber: serial(),
    issuerDer: name,
    subjectDer: encodeName({ commonName: 'y' }),
    publicKeyDer: publicKeyDer(ca.key),
    extensions,
    signingKey: ca.key,
  });
  return parseCertificate(der);
}

test('a certificate without constraints has none of them in its view', async () => {
  const { certificate } = await leaf(ca);
  const { nameConstraints: names, policies: list, policyMappings: mappings, policyConstraints: rules } = certificate;
  assert.equal([names, list, mappings, rules, certificate.inhibitAnyPolicy], Array(5).fill(undefined));
  assert.equal([certificate.authorityCertIssuer, certificate.authorityCertSerial], [undefined, undefined]);
  assert.equal([certificate.basicConstraintsCritical, certificate.criticalKeyIds], [true, false]);
});

test('name constraints are read with their texts', () => {
  const permitted = ['DNS:.zoo.example', 'URI:zoo.example', 'email:a@zoo.example', 'IP:10.0.0.0/255.0.0.0'];
  const excluded = ['IP:2001:db8::/ffff:ffff::', dirName({ organizations: ['Zoo'] }), 'RID:1.2.3'];
  const [, view] = makePath({}, { extensions: [nameConstraints({ permitted, excluded })] });
  assert.is(view?.nameConstraints?.critical, true);
  assert.equal(
    view?.nameConstraints?.permitted.map(({ text }) => text),
    ['DNS:.zoo.example', 'URI:zoo.example', 'email:a@zoo.example', 'IP:10.0.0.0/8'],
  );
  assert.equal(
    view?.nameConstraints?.excluded.map(({ text }) => text),
    ['IP:2001:db8::/32', 'DirName:O=Zoo', 'registeredID'],
  );
});

test('policies, mappings and their constraints are read', () => {
  const view = withExtensions(
    policies(['1.2.3', '2.5.29.32.0'], true),
    policyMappings([['1.2.3', '1.2.4']]),
    policyConstraints(0, 3),
    inhibitAnyPolicy(2),
  );
  assert.equal(view.policies, ['1.2.3', '2.5.29.32.0']);
  assert.equal(view.policyMappings, [{ issuer: '1.2.3', subject: '1.2.4' }]);
  assert.equal(view.policyConstraints, { requireExplicitPolicy: 0, inhibitPolicyMapping: 3 });
  assert.is(view.inhibitAnyPolicy, 2);
  assert.equal(view.unknownCritical, []);
});

test('the issuer and serial number of an authority key identifier are read, the serial as that of a certificate', () => {
  const issuer = encodeName({ commonName: 'Zoo' });
  const names = tlv(0xa1, implicit(2, Buffer.from('ca.example')), tlv(0xa4, issuer));
  const view = withExtensions(
    extension('2.5.29.35', sequence(implicit(0, Buffer.of(1, 2)), names, tlv(0x82, Buffer.of(0, 0xff)))),
  );
  assert.is(view.authorityKeyId, '0102');
  assert.ok(view.authorityCertIssuer?.equals(issuer));
  assert.is(view.authorityCertSerial, 'ff');
});

test('an authority key identifier without a key id has none', () => {
  assert.is(withExtensions(extension('2.5.29.35', sequence(tlv(0x82, Buffer.of(5))))).authorityKeyId, undefined);
});

test('critical key ids and basic constraints that are not critical are reported', () => {
  assert.is(withExtensions(extension('2.5.29.14', Buffer.from('040101', 'hex'), true)).criticalKeyIds, true);
  assert.is(withExtensions(extension('2.5.29.19', Buffer.from('30030101ff', 'hex'))).basicConstraintsCritical, false);
});

test('critical CRL distribution points stay unknown, since Java refuses them below an anchor', () => {
  assert.equal(withExtensions(extension('2.5.29.31', sequence(), true)).unknownCritical, ['2.5.29.31']);
});

test.run();

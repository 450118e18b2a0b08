/** CA certificates of a partner that verifiers take for those of the authority, or of another partner. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import {
  type Holder,
  hoursFromNow,
  leaf,
  NOW,
  renewedRoot,
  root,
  serial,
  signIntermediate,
} from '../../test/pki/make.ts';
import { openssl } from '../../test/pki/openssl.ts';
import { writeCertificate } from '../../test/pki/write-certificate.ts';
import { nameConstraints } from '../../test/pki/write-extensions.ts';
import { type CertificateView, parseCertificate } from '../pki/certificate.ts';
import { caBasicConstraints, keyIdOf, subjectKeyIdExtension, usageExtensions } from '../pki/extensions.ts';
import { keyIdOfCa } from '../pki/issue.ts';
import { publicKeyDer } from '../pki/keys.ts';
import { encodeName } from '../pki/name.ts';
import { withoutNamesakes as withoutThose } from './namesakes.ts';
import { type SourceFinding, sourceStatus, trustedBy } from './sources.ts';

const ORGANIZATION = ['Certwheel'];
const own = await root();
const below = await signIntermediate(own, { commonName: 'Issuing CA' });
const partner = await root({ commonName: 'Partner', notAfter: hoursFromNow(2000) });

/** Where the targets hold these already; none by default. */
const withoutNamesakes = (
  cas: readonly CertificateView[],
  findings: readonly SourceFinding[],
  now: Date,
  ...held: readonly CertificateView[]
) => withoutThose(cas, findings, now, new Set(held.map(({ fingerprintSHA256 }) => fingerprintSHA256)));

interface Forgery {
  readonly subjectDer?: Buffer;
  readonly keyId?: Buffer | undefined;
  readonly publicKeyDer?: Buffer;
  readonly issuerDer?: Buffer;
  readonly extensions?: readonly Buffer[];
}

/** Signed by the partner's key, whatever it says. */
function forged({
  subjectDer = own.certificate.subjectDer,
  issuerDer = subjectDer,
  ...rest
}: Forgery): CertificateView {
  const { publicKeyDer: spki = publicKeyDer(partner.key), extensions = [] } = rest;
  const keyId = 'keyId' in rest ? rest.keyId : keyIdOfCa(own.certificate);
  const der = writeCertificate({
    notBefore: hoursFromNow(-1),
    notAfter: hoursFromNow(3000),
    serialNumber: serial(),
    issuerDer,
    subjectDer,
    publicKeyDer: spki,
    extensions: [
      caBasicConstraints(),
      ...usageExtensions(['cert sign', 'crl sign']),
      ...(keyId === undefined ? [] : [subjectKeyIdExtension(keyId)]),
      ...extensions,
    ],
    signingKey: partner.key,
  });
  return parseCertificate(der);
}

const named = (commonName: string, organizations = ORGANIZATION) => encodeName({ commonName, organizations });
const onlyOthers = nameConstraints({ permitted: ['DNS:partner.example'] });

/** Sorted as they may come to stand in the file. */
function orders(certificates: readonly CertificateView[]): string[] {
  const pem = certificates.map((each) => each.pem);
  return [pem.join(''), [...pem].reverse().join('')];
}

/** Whether OpenSSL accepts a client of that CA with these CA certificates, whatever their order. */
async function accepts(trusted: readonly CertificateView[], ca: Holder, ...sent: readonly Holder[]): Promise<boolean> {
  const { certificate } = await leaf(ca, {
    names: { dnsNames: ['client.example'], uris: [], emailAddresses: [], ipAddresses: [] },
  });
  const untrusted = sent.map((each) => each.certificate.pem).join('');
  return orders(trusted).every((both) => {
    const chain = untrusted === '' ? [] : ['-untrusted', '{untrusted}'];
    const at = ['-attime', String(NOW.getTime() / 1000)];
    return openssl(['verify', ...at, '-CAfile', '{both}', ...chain, '{leaf}'], {
      both,
      untrusted,
      leaf: certificate.pem,
    }).ok;
  });
}

function finding(name: string, ...certificates: readonly CertificateView[]): SourceFinding {
  return { name, certificates, refused: [], trouble: undefined };
}

const CASES: Readonly<
  Record<string, { readonly given: CertificateView; readonly ca?: Holder; readonly sent?: Holder[] }>
> = {
  'has the name and the key id of the authority, and a key of its own': { given: forged({}) },
  'has the name in other letters': { given: forged({ subjectDer: named('TEST ca V1') }) },
  'has the name with more blanks': { given: forged({ subjectDer: named('  Test  CA v1 ') }) },
  'has no key id': { given: forged({ keyId: undefined }) },
  'has the key of the authority too, and constrains its names': {
    given: forged({
      publicKeyDer: publicKeyDer(own.key),
      issuerDer: partner.certificate.subjectDer,
      extensions: [onlyOthers],
    }),
  },
  'has the name and the key id of a CA below the root': {
    given: forged({ subjectDer: below.certificate.subjectDer, keyId: keyIdOfCa(below.certificate) }),
    ca: below,
    sent: [below],
  },
};

for (const [what, { given, ca = own, sent = [] }] of Object.entries(CASES))
  test(`a certificate of a source that ${what} is left out: OpenSSL would refuse clients of the authority`, async () => {
    const anchors = [own.certificate];
    assert.is(await accepts([...anchors, given], ca, ...sent), false, 'the control');
    const cas = [...anchors, ...sent.map(({ certificate }) => certificate)];
    const [found = finding('none')] = withoutNamesakes(cas, [finding('partner', partner.certificate, given)], NOW);
    assert.equal(found.certificates, [partner.certificate]);
    assert.match(sourceStatus(found, NOW).leftOut?.join() ?? '', 'has the name of a CA of this authority');
    assert.ok(await accepts([...anchors, ...trustedBy([found], NOW)], ca, ...sent));
  });

test('what OpenSSL tells apart stays: another name, another key id, the same certificate, and a CA that the partner renewed', async () => {
  const others = [
    partner.certificate,
    renewedRoot(partner, { notAfter: hoursFromNow(900) }).certificate,
    forged({ keyId: keyIdOf(publicKeyDer(partner.key)) }),
    own.certificate,
  ];
  const [found] = withoutNamesakes([own.certificate], [finding('partner', ...others)], NOW);
  assert.equal(found?.certificates, others);
  assert.ok(await accepts([own.certificate, ...others], own));
});

test('of two sources the first keeps its CA, until that has expired', async () => {
  const shortLived = renewedRoot(partner, { notAfter: hoursFromNow(48) });
  const other = forged({
    subjectDer: partner.certificate.subjectDer,
    keyId: keyIdOfCa(partner.certificate),
    publicKeyDer: publicKeyDer(own.key),
  });
  const both = [finding('one', shortLived.certificate), finding('two', other)];
  const kept = (now: Date) => withoutNamesakes([], both, now).map(({ certificates = [] }) => certificates.length);
  assert.is(await accepts([shortLived.certificate, other], shortLived), false);
  assert.equal(kept(NOW), [1, 0]);
  assert.match(withoutNamesakes([], both, NOW)[1]?.refused.join() ?? '', 'of a CA of source one');
  assert.equal(kept(hoursFromNow(49)), [1, 1]);
});

test('of two sources that which the targets hold already keeps its CA, whatever another one adds', () => {
  const other = forged({ subjectDer: partner.certificate.subjectDer, keyId: keyIdOfCa(partner.certificate) });
  const renewed = renewedRoot(partner, { notAfter: hoursFromNow(900) }).certificate;
  const both = [finding('hostile', other), finding('partner', partner.certificate, renewed)];
  const kept = (...held: CertificateView[]) =>
    withoutNamesakes([], both, NOW, ...held).map(({ certificates = [] }) => certificates.length);
  assert.equal(kept(), [1, 0], 'the first in the list, where neither is held');
  const alike = finding('hostile', other, partner.certificate);
  const [found] = withoutNamesakes([], [alike, finding('partner', partner.certificate)], NOW, partner.certificate);
  assert.equal(found?.certificates, [partner.certificate], 'also where the other one names it too');
  assert.equal(kept(partner.certificate), [0, 2], 'with what the partner itself adds to its own');
  assert.match(
    withoutNamesakes([], both, NOW, partner.certificate)[0]?.refused.join() ?? '',
    'has the name of a CA of source partner',
  );
  const ours = withoutNamesakes([partner.certificate], both, NOW, other, partner.certificate);
  assert.equal(
    ours.map(({ certificates = [] }) => certificates.includes(other)),
    [false, false],
    'a CA of the authority comes first',
  );
});

test('two sources that name the same text have the same, also where the partner has renewed its CA', () => {
  const renewed = renewedRoot(partner, { notAfter: hoursFromNow(900) }).certificate;
  const both = ['one', 'two'].map((name) => finding(name, partner.certificate, renewed));
  for (const held of [[], [renewed]])
    assert.equal(
      withoutNamesakes([], both, NOW, ...held).map(({ certificates }) => certificates?.length),
      [2, 2],
    );
});

test('a source that could not be read says nothing of others', () => {
  const unread = { ...finding('unread'), certificates: undefined };
  assert.equal(withoutNamesakes([own.certificate], [unread], NOW), [unread]);
});

test.run();

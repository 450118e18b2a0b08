import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { opensslCertificate } from '../../../test/pki/openssl.ts';
import { AuthorityError } from '../../errors.ts';
import { type CertificateView, parseCertificates } from '../../pki/certificate.ts';
import { readableTrust } from './readable-trust.ts';

const CA = ['-newkey', 'rsa:2048', '-addext', 'keyUsage=critical,keyCertSign'];

function ca(...args: readonly string[]): CertificateView {
  const [certificate] = parseCertificates(opensslCertificate(...CA, ...args), { most: 1 });
  if (certificate === undefined) throw new Error('openssl wrote no certificate');
  return certificate;
}

const good = ca();
const other = ca('-addext', 'nameConstraints=critical,permitted;URI:example.com');
const UNREADABLE: Record<string, [CertificateView, RegExp]> = {
  'a URI constraint with a scheme': [
    ca('-addext', 'nameConstraints=critical,permitted;URI:spiffe://example.com/'),
    /URI:spiffe:\/\/example\.com\/, which Go or Java can't read/,
  ],
  'a key identifier that is critical': [ca('-addext', 'subjectKeyIdentifier=critical,hash'), /not readable by all/],
};

test('trust that all verifiers can read stays as it is', () => {
  const trust = { anchors: [good, other], intermediates: [] };
  assert.is(readableTrust(trust).trust, trust);
  assert.equal(readableTrust(trust).leftAside, []);
});

for (const [what, [bad, words]] of Object.entries(UNREADABLE)) {
  test(`an anchor with ${what} is left out of ca.crt, and reported`, () => {
    const { trust, leftAside } = readableTrust({ anchors: [good, bad, other], intermediates: [] });
    assert.equal(trust.anchors, [good, other]);
    assert.is(leftAside.length, 1);
    assert.match(leftAside[0] ?? '', words);
  });

  test(`an anchor with ${what} is refused where there is no other`, () => {
    try {
      readableTrust({ anchors: [bad], intermediates: [] });
      assert.unreachable();
    } catch (error) {
      assert.instance(error, AuthorityError);
      assert.is((error as AuthorityError).code, 'TrustBundleRefused');
      assert.match((error as AuthorityError).message, words);
    }
  });
}

test('trust that is stated with each certificate stays empty', () =>
  assert.equal(readableTrust({ anchors: [], intermediates: [] }).trust.anchors, []));

test.run();
